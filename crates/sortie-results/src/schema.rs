//! What types are in JSON whose own form does not tell.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{LogTail, Value};

/// Types that are the same in every form.
macro_rules! in_json {
    ($($type:ident: $schema:tt;)*) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

in_json! {
    LogTail: {"type": "string"};
    // Any value at all; a number that is not finite is the string `NaN`, `Infinity` or `-Infinity`.
    Value: {};
}
