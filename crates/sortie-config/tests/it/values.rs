//! Arbitrary values for the property tests.

use proptest::prelude::*;
use sortie_config::{PyValue, num_bigint::BigInt};

/// Any text, with the characters that need care made likely.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "'",
        "\"",
        "\\",
        "\n",
        "\r",
        "\t",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{ad}",
        "\u{200b}",
        "\u{2028}",
        "\u{feff}",
        "\u{ffff}",
        "\u{e000}",
        "\u{1f600}",
        "\u{e0001}",
        "\u{10ffff}",
        " ",
        "yes",
        "1:30",
        "null",
        "010",
        "-",
        "#",
        ": ",
        "${x}",
        "é",
        "{",
        "]",
    ]);
    let piece = prop_oneof![
        odd.prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        "[a-z]{1,3}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn integer() -> impl Strategy<Value = BigInt> {
    prop_oneof![
        any::<i64>().prop_map(BigInt::from),
        any::<u64>().prop_map(BigInt::from),
        any::<i128>().prop_map(BigInt::from),
        any::<(i128, u128)>().prop_map(|(a, b)| BigInt::from(a) * b),
    ]
}

/// Any float but not-a-number, which equals nothing.
pub(crate) fn float() -> impl Strategy<Value = f64> {
    use prop::num::f64 as f;
    let wide = f::POSITIVE | f::NEGATIVE | f::NORMAL | f::SUBNORMAL | f::ZERO | f::INFINITE;
    prop_oneof![wide, -1e17..1e17, 1e14..4e15, -1e-3..1e-3, (-999i32..999).prop_map(f64::from)]
}

fn scalar() -> impl Strategy<Value = PyValue> {
    prop_oneof![
        Just(PyValue::None),
        any::<bool>().prop_map(PyValue::Bool),
        integer().prop_map(PyValue::Int),
        float().prop_map(PyValue::Float),
        text().prop_map(PyValue::Str),
    ]
}

/// Any value; dicts have texts as keys, and each once.
pub(crate) fn value() -> impl Strategy<Value = PyValue> {
    scalar().prop_recursive(3, 24, 5, |inner| {
        let entries = prop::collection::btree_map(text(), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(PyValue::List),
            entries.prop_map(|entries| {
                PyValue::Dict(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
            }),
        ]
    })
}
