//! JSON as Python's `json.loads` has it.

use sortie_config::PyValue;
use sortie_results::Value;

pub(crate) fn python(value: &Value) -> PyValue {
    match value {
        Value::Null => PyValue::None,
        Value::Bool(value) => PyValue::Bool(*value),
        Value::Int(value) => (*value).into(),
        Value::BigInt(digits) => match digits.to_string().parse() {
            Ok(value) => PyValue::Int(value),
            Err(_) => PyValue::Str(digits.to_string()),
        },
        Value::Float(value) => PyValue::Float(*value),
        Value::String(value) => PyValue::Str(value.clone()),
        Value::Array(elements) => PyValue::List(elements.iter().map(python).collect()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (name.as_str().into(), python(value));
            PyValue::Dict(members.iter().map(member).collect())
        }
    }
}
