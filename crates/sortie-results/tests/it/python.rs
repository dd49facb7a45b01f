//! The real `python3` as the judge of what JSON means: one process for all the cases of a test.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use proptest::{
    collection::vec,
    prelude::*,
    strategy::{Strategy, ValueTree},
    string::string_regex,
    test_runner::TestRunner,
};
use sortie_results::Value;

/// `plain` is a value in a form that leans on nothing under test; half a surrogate pair is U+FFFD.
const COMMON: &str = r"
import json, struct, sys

def text(s):
    return ''.join('%x,' % (0xfffd if 0xd800 <= ord(c) < 0xe000 else ord(c)) for c in s)

def plain(v):
    if v is None or v is True or v is False: return str(v)
    if isinstance(v, int): return 'i%d' % v
    if isinstance(v, float): return 'nan' if v != v else 'f' + struct.pack('>d', v).hex()
    if isinstance(v, str): return 's' + text(v) + ';'
    if isinstance(v, list): return '[' + ' '.join(map(plain, v)) + ']'
    members = {}
    for name, value in v.items(): members[text(name)] = plain(value)
    return '{' + ' '.join(n + '=' + p for n, p in members.items()) + '}'
";

/// Answers JSON with its value; or with `-` if it is none.
const READS: &str = r"
for line in sys.stdin:
    try: print(plain(json.loads(bytes.fromhex(line).decode('utf-8'))))
    except ValueError: print('-')
";

/// Answers JSON with its value, written again in a way that the line's number chooses.
const WRITES: &str = r"
for number, line in enumerate(sys.stdin):
    value = json.loads(bytes.fromhex(line))
    written = json.dumps(value, ensure_ascii=number % 2 == 0, indent=[None, 2][number % 3 == 0])
    print(written.encode('utf-8', 'backslashreplace').hex(), plain(value))
";

/// Answers strict JSON with its value.
const READS_STRICTLY: &str = r"
def refuse(constant): raise SystemExit(constant)
for line in sys.stdin:
    print(plain(json.loads(bytes.fromhex(line), parse_constant=refuse)))
";

/// Asks Python about each text.
#[expect(clippy::disallowed_methods, reason = "the crate under test must not know processes")]
fn ask(script: &str, texts: &[String]) -> Vec<String> {
    let mut python = Command::new("python3")
        .args(["-c", &format!("{COMMON}{script}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("these tests need python3 on PATH");
    let questions: String = texts.iter().map(|text| hex(text) + "\n").collect();
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(questions.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = answers.lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), texts.len());
    answers
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn text(text: &str) -> String {
    text.chars().fold(String::new(), |mut codes, character| {
        write!(codes, "{:x},", u32::from(character)).unwrap();
        codes
    })
}

/// The same as in Python above.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(value) => if *value { "True" } else { "False" }.to_owned(),
        Value::Int(value) => format!("i{value}"),
        Value::BigInt(value) => format!("i{value}"),
        Value::Float(value) if value.is_nan() => "nan".to_owned(),
        Value::Float(value) => format!("f{:016x}", value.to_bits()),
        Value::String(value) => format!("s{};", text(value)),
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(plain).collect::<Vec<_>>().join(" "))
        }
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}={}", text(name), plain(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(" "))
        }
    }
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn regex(pattern: &str) -> impl Strategy<Value = String> {
    string_regex(pattern).unwrap()
}

/// Numbers, whole and not, of every size; and what Python adds.
fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        regex("-?[1-9][0-9]{15,60}"),
        regex("-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?"),
        any::<f64>()
            .prop_filter("finite", |float| float.is_finite())
            .prop_map(|float| format!("{float:?}")),
        one_of(&["NaN", "Infinity", "-Infinity", "-0", "1e999", "-0.0", "4.9e-324"]),
    ]
}

/// Strings of characters and escapes, among them halves of surrogate pairs.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => regex("[^\"\\\\\\p{Cc}]{0,4}"),
        1 => regex("\\\\u[0-9a-fA-F]{4}"),
        1 => regex("\\\\u[dD][89abAB][0-9a-f]{2}"),
        1 => regex("\\\\u[dD][c-fC-F][0-9a-f]{2}"),
        1 => regex("\\\\[\"\\\\/bfnrt]"),
    ];
    vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// JSON documents, with white space, and with members of the same name.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![number(), string(), one_of(&["true", "false", "null"])];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![string(), one_of(&["\"a\"", "\"b\""])];
        let member = (name, one_of(&["", " ", "\n "]), inner.clone())
            .prop_map(|(name, space, value)| format!("{name}{space}:{space}{value}"));
        prop_oneof![
            vec(inner, 0..5).prop_map(|elements| format!("[{}]", elements.join(" ,\t"))),
            vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",\r\n"))),
        ]
    })
}

/// Texts that are nearly JSON: a document with a piece taken out, put in or doubled.
fn near_miss() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        regex("[-+.eE0-9\\[\\]{},:\"\\\\untNI ]"),
        one_of(&[
            "-Infinit", "nul", "\\ud8", "01", "1.", ".5", "1e", "-", "\u{feff}", "\u{7f}", "\t",
        ]),
    ];
    (document(), token, any::<prop::sample::Index>(), 0_usize..3).prop_map(
        |(document, token, index, take)| {
            let characters: Vec<_> = document.chars().collect();
            let at = index.index(characters.len() + 1);
            let after = (at + take).min(characters.len());
            let part = |part: &[char]| part.iter().collect::<String>();
            part(&characters[..at]) + &token + &part(&characters[after..])
        },
    )
}

fn sample(strategy: &impl Strategy<Value = String>, cases: usize) -> Vec<String> {
    let mut runner = TestRunner::default();
    (0..cases).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn check_reading(texts: &[String]) -> usize {
    let answers = ask(READS, texts);
    for (text, answer) in texts.iter().zip(&answers) {
        let read = Value::parse(text.as_bytes());
        let found = read.as_ref().map_or_else(|_| "-".to_owned(), plain);
        assert_eq!(&found, answer, "{text}: {read:?}");
    }
    answers.iter().filter(|answer| *answer != "-").count()
}

#[test]
fn documents_are_read_as_python_reads_them() {
    let documents = sample(&document(), 1200);
    assert_eq!(check_reading(&documents), documents.len());
}

#[test]
fn what_python_refuses_is_refused() {
    let texts = sample(&near_miss(), 2000);
    let good = check_reading(&texts);
    assert!(
        (200..1800).contains(&good),
        "{good} of {} are JSON: the test shows little",
        texts.len()
    );
}

#[test]
fn what_python_writes_is_read() {
    for answer in ask(WRITES, &sample(&document(), 800)) {
        let (written, expected) = answer.split_once(' ').unwrap();
        let written = unhex(written);
        let value = Value::parse(&written).unwrap_or_else(|error| panic!("{error}: {written:?}"));
        assert_eq!(plain(&value), expected);
    }
}

#[test]
fn what_is_written_is_strict_json_of_the_same_value() {
    /// What a value becomes in strict JSON.
    fn strict(value: Value) -> Value {
        match value {
            Value::Float(float) if float.is_nan() => Value::String("NaN".to_owned()),
            Value::Float(float) if float.is_infinite() => {
                Value::String(if float > 0.0 { "Infinity" } else { "-Infinity" }.to_owned())
            }
            Value::Array(elements) => Value::Array(elements.into_iter().map(strict).collect()),
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, strict(value)));
                Value::Object(Box::new(members.collect()))
            }
            value => value,
        }
    }
    let values: Vec<_> = sample(&document(), 800)
        .into_iter()
        .map(|document| Value::parse(document.as_bytes()).unwrap())
        .collect();
    let written: Vec<_> =
        values.iter().map(|value| serde_json::to_string(value).unwrap()).collect();
    for (value, answer) in values.into_iter().zip(ask(READS_STRICTLY, &written)) {
        assert_eq!(plain(&strict(value)), answer);
    }
}
