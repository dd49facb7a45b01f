//! The settings as a JSON Schema: for editors, and for whoever needs to know what settings there are.
//!
//! It is derived from the structs that are read, so that names, explanations and defaults are theirs. What a type reads
//! that serde cannot tell is written down here, and held to what the reader does by a test.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::SchemaSettings,
    json_schema,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value, json};

use crate::{
    EvaluatorKind, GpuRequest, Gpus, JobType, LocalDockerJobConfig, LocalJobConfig, Memory,
    SlurmCondaJobConfig, SlurmDockerJobConfig, TimeLimit, Warm,
};

/// The JSON Schema (draft 7, which editors know best) of a file of settings, of any job type.
///
/// It describes sortie's own form, with `job_type` beside the settings. Files of the reference, which name a class and may
/// refer to other values, are read but not described. What no schema can say is left to [`JobConfig::validate`].
///
/// [`JobConfig::validate`]: crate::JobConfig::validate
pub fn schema() -> Value {
    let job_types = JobType::ALL.map(JobType::names).concat();
    let branches = JobType::ALL.map(|job_type| {
        json!({
            "if": {"required": ["job_type"], "properties": {"job_type": {"enum": job_type.names()}}},
            "then": {"$ref": format!("#/definitions/{job_type}")},
        })
    });
    let definitions: Map<_, _> = JobType::ALL
        .into_iter()
        .map(|job_type| (job_type.to_string(), schema_of(job_type)))
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Settings of a sortie job",
        "type": "object",
        "required": ["job_type"],
        "properties": {
            "job_type": {"description": "Where and how the job runs.", "enum": job_types},
        },
        "allOf": branches,
        "definitions": definitions,
    })
}

/// The JSON Schema of the settings of one job type, with each setting's explanation and default, and nothing outside
/// referred to.
pub fn schema_of(job_type: JobType) -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.transforms.push(Box::new(AsRead));
    let generator = settings.into_generator();
    let mut schema = match job_type {
        JobType::Local => generator.into_root_schema_for::<LocalJobConfig>(),
        JobType::LocalDocker => generator.into_root_schema_for::<LocalDockerJobConfig>(),
        JobType::SlurmConda => generator.into_root_schema_for::<SlurmCondaJobConfig>(),
        JobType::SlurmDocker => generator.into_root_schema_for::<SlurmDockerJobConfig>(),
    };
    schema.remove("title");
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.insert("job_type".to_owned(), json!({"enum": job_type.names()}));
    }
    schema.to_value()
}

/// Turns what serde's types say into what the YAML reader takes.
#[derive(Clone, Debug)]
struct AsRead;

impl Transform for AsRead {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let limits = match schema.remove("format").as_ref().and_then(Value::as_str) {
            Some("uint32") => Some((0, i64::from(u32::MAX))),
            Some("int64") => Some((i64::MIN, i64::MAX)),
            _ => None,
        };
        let Some(object) = schema.as_object_mut() else { return };
        if let Some((least, most)) = limits {
            object.entry("minimum").or_insert(least.into());
            object.entry("maximum").or_insert(most.into());
        }
        // Where a text is wanted, an unquoted `3.10` is one.
        if !object.contains_key("enum") && !object.contains_key("pattern") {
            match object.get_mut("type") {
                Some(kind @ Value::String(_)) if kind == "string" => *kind = json!(TEXT),
                Some(Value::Array(kinds)) if kinds.contains(&"string".into()) => {
                    kinds.extend(TEXT[1..].iter().map(|kind| (*kind).into()));
                }
                _ => {}
            }
        }
        if let Some(Value::String(text)) = object.get_mut("description") {
            let words: Vec<_> = text.split_whitespace().collect();
            *text = words.join(" ").replace("`None`", "`null`");
        }
    }
}

/// What a plain scalar may be that is read as text.
const TEXT: [&str; 3] = ["string", "number", "boolean"];

/// What a field is read as, where its own type does not tell.
macro_rules! read_as {
    ($($(#[$doc:meta])* $type:ident = $schema:tt;)*) => {$(
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

/// The path of the evaluator, `null` for the default.
pub(crate) struct Evaluator;
/// A duration in seconds.
pub(crate) struct Seconds;
/// A size in bytes, or with a unit.
pub(crate) struct Bytes;
/// The evaluator's arguments.
pub(crate) type Arguments = Option<BTreeMap<String, Value>>;
/// The same, of which there has to be some.
pub(crate) struct SomeBytes;
/// Options of sbatch.
pub(crate) struct SbatchArgs;
/// When an image is pulled.
pub(crate) struct Pull;
/// Variables to set.
pub(crate) struct Variables;

/// As `bytesize` reads them.
const BYTES: &str = r"^([0-9]+|[0-9]+(\.[0-9]+)? *([kKmMgGtTpPeE]([iI]?[bB])?|[bB]))$";

read_as! {
    Evaluator = {"type": ["string", "number", "boolean", "null"], "minimum": 0, "pattern": "^[^-]"};
    Seconds = {"type": "number", "minimum": 0, "exclusiveMaximum": 18_446_744_073_709_551_615.0};
    Bytes = {"type": ["integer", "string"], "minimum": 0, "maximum": u64::MAX, "pattern": BYTES};
    SomeBytes = {"type": ["integer", "string"], "minimum": 1, "maximum": u64::MAX, "pattern": BYTES};
    TimeLimit = {
        "type": ["string", "integer"], "minimum": 0, "maximum": 35_791_394,
        "pattern": r"^([0-9]+(:[0-9]+){0,2}|[0-9]+-[0-9]+(:[0-9]+){0,2}|[uU][nN][lL][iI][mM][iI][tT][eE][dD]|[iI][nN][fF][iI][nN][iI][tT][eE])$"
    };
    Memory = {
        "type": ["string", "integer"], "minimum": 0, "maximum": 17_592_186_044_415_u64,
        "pattern": "^[0-9]+([kKmMgGtT][bB]?)?$"
    };
    Gpus = {
        "type": ["integer", "string"], "minimum": 0, "maximum": u32::MAX,
        "pattern": "^([A-Za-z][A-Za-z0-9_.-]*:)?[0-9]+$"
    };
    EvaluatorKind = {"enum": ["python", "executable", null]};
    GpuRequest = {"enum": ["gres", "gpus-per-node"]};
    Pull = {"enum": ["missing", "always", "never"]};
    SbatchArgs = {
        "type": ["object", "null"],
        "propertyNames": {"pattern": "^[a-z][a-z0-9-]+$"},
        "additionalProperties": {"type": ["string", "null"]}
    };
    Variables = {
        "type": "object",
        "propertyNames": {"pattern": "^[^=]+$"},
        "additionalProperties": {"type": "string"}
    };
}

/// Whether evaluators are kept warm.
pub(crate) struct Warmth;

impl JsonSchema for Warmth {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Warmth".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": ["boolean", "null"]}, generator.subschema_for::<Warm>()]})
    }
}
