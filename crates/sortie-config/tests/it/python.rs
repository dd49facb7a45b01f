//! The real `python3` as the judge of how values print: one process for all the cases.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use sortie_config::PyValue;

use crate::values::value;

const CASES: usize = 4000;

/// Answers each line, a Python expression, with `str` of it in hex; or with `skip` if it holds a
/// character that this Python's Unicode tables do not know yet.
const JUDGE: &str = r"
import sys, unicodedata

def unknown(c):
    noncharacter = ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF
    return unicodedata.category(c) == 'Cn' and not noncharacter

def texts(v):
    if isinstance(v, str): yield v
    if isinstance(v, list):
        for item in v: yield from texts(item)
    if isinstance(v, dict):
        for item in v.items(): yield from texts(list(item))

for line in sys.stdin:
    v = eval(line)
    skip = any(unknown(c) for text in texts(v) for c in text)
    print('skip' if skip else '=' + str(v).encode().hex())
";

/// A Python expression for the value that leans on none of the forms under test.
fn expression(value: &PyValue) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        PyValue::None => "None".to_owned(),
        PyValue::Bool(value) => format!("bool({})", i32::from(*value)),
        PyValue::Int(value) => format!("int('{}', 16)", value.to_str_radix(16)),
        PyValue::Float(value) => {
            let bytes = value.to_be_bytes();
            format!("__import__('struct').unpack('>d', bytes({bytes:?}))[0]")
        }
        PyValue::Str(text) => {
            let codes: Vec<_> = text.chars().map(u32::from).collect();
            format!("''.join(map(chr, {codes:?}))")
        }
        PyValue::List(items) => format!("[{}]", list(items.iter().map(expression).collect())),
        PyValue::Dict(entries) => {
            let entry =
                |(k, v): &(PyValue, PyValue)| format!("({}, {})", expression(k), expression(v));
            format!("dict([{}])", list(entries.iter().map(entry).collect()))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the crate under test must not know processes")]
fn judge(values: &[PyValue]) -> Vec<Option<String>> {
    let mut python = Command::new("python3")
        .args(["-c", JUDGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("these tests need python3 on PATH");
    let mut questions = String::new();
    for value in values {
        writeln!(questions, "{}", expression(value)).unwrap();
    }
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(questions.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(answer).collect()
}

fn answer(line: &str) -> Option<String> {
    let hex = line.strip_prefix('=')?;
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    Some(String::from_utf8(hex.as_bytes().chunks(2).map(byte).collect()).unwrap())
}

#[test]
fn values_print_as_in_python() {
    let mut runner = TestRunner::default();
    let mut values: Vec<_> =
        (0..CASES).map(|_| value().new_tree(&mut runner).unwrap().current()).collect();
    values.push(PyValue::List(vec![f64::NAN.into(), f64::INFINITY.into(), (-0.0).into()]));
    values.extend((-1074..1024).map(|power| PyValue::Float(2f64.powi(power))));
    // Every character of the planes in use and a few of the private ones, some of them side by side.
    let every: Vec<char> = (0..0x3_2000)
        .chain(0xe_0000..0xe_0200)
        .chain(0x10_ff00..=0x10_ffff)
        .filter_map(char::from_u32)
        .collect();
    values
        .extend(every.chunks(16).map(|chars| PyValue::List(vec![String::from_iter(chars).into()])));

    let answers = judge(&values);
    assert_eq!(answers.len(), values.len());
    let mut judged = 0;
    for (value, expected) in values.iter().zip(answers) {
        if let Some(expected) = expected {
            assert_eq!(value.to_string(), expected, "{value:?}");
            judged += 1;
        }
    }
    assert!(judged > CASES / 2, "only {judged} cases could be judged");
}
