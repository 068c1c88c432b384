//! The YAML reader and writer, by example and by property.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::yaml::{emit, emit_indented, parse_text};
use super::{Diagnostic, Node, Sources};

fn read(text: &str) -> Option<Node> {
    parse_text(&mut Sources::default(), "t.yml", text).expect("valid YAML")
}

fn value(text: &str) -> Value {
    read(text).map_or(Value::Null, |node| node.to_json())
}

/// `code@line:column message` of each problem.
fn problems(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let found: Vec<Diagnostic> = parse_text(&mut sources, "t.yml", text).expect_err("a problem");
    let line = |d: &Diagnostic| {
        let place = sources.place(d.labels[0].span);
        format!("{}@{}:{} {}", d.code, place.line, place.column, d.message)
    };
    found.iter().map(line).collect()
}

#[test]
fn scalars_are_those_of_yaml_1_1() {
    let text = "[yes, No, on, OFF, y, 0644, 08, 1_000, 0x1f, 1e3, 1.5, 1.5e+3, .5, ~, '', 12:30, \
                2024-01-01, 'yes', \"1\", 0b11, -7, +5, 1.10.2, v1, 99999999999999999999999]";
    let want = json!([
        true,
        false,
        true,
        false,
        "y",
        420,
        "08",
        1000,
        31,
        "1e3",
        1.5,
        1500.0,
        0.5,
        null,
        "",
        "12:30",
        "2024-01-01",
        "yes",
        "1",
        3,
        -7,
        5,
        "1.10.2",
        "v1",
        "99999999999999999999999"
    ]);
    assert_eq!(value(text), want);
}

#[test]
fn text_of_scalars_is_kept() {
    let node = read("mode: 0644\nversion: 1.10\n").expect("a node");
    assert_eq!(node.get("mode").and_then(Node::as_str), Some("0644"));
    assert_eq!(node.get("version").and_then(Node::as_str), Some("1.10"));
}

#[test]
fn nothing_but_comments_is_nothing() {
    for text in ["", "# only\n", "---\n", "--- # x\n...\n", "\u{feff}"] {
        assert_eq!(read(text), None, "{text:?}");
    }
    assert_eq!(value("\u{feff}a: 1"), json!({"a": 1}));
}

#[test]
fn empty_values_are_null() {
    assert_eq!(value("a:\nb: {c}\n"), json!({"a": null, "b": {"c": null}}));
}

#[test]
fn own_keys_win_over_merged_and_first_merge_wins() {
    let text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 0\n";
    assert_eq!(value(text)["z"], json!({"a": 0, "b": 1, "c": 2}));
}

#[test]
fn merging_a_scalar_is_an_error() {
    assert_eq!(
        problems("a:\n  <<: 1\n"),
        ["yaml-merge@2:3 `<<` merges something that is no mapping"]
    );
}

#[test]
fn spans_cover_values_exactly() {
    let mut sources = Sources::default();
    let text = "a:\n  b: [1, {c: 'd'}]\n  e: f\n\n# end\ng: |\n  x\n";
    let node = parse_text(&mut sources, "t.yml", text)
        .expect("valid")
        .expect("a node");
    let a = node.get("a").expect("a");
    assert_eq!(sources.slice(a.span), "b: [1, {c: 'd'}]\n  e: f");
    assert_eq!(sources.slice(a.get("b").expect("b").span), "[1, {c: 'd'}]");
    let inner = &a.get("b").and_then(Node::items).expect("items")[1];
    assert_eq!(sources.slice(inner.get("c").expect("c").span), "'d'");
    assert_eq!(
        sources.place(a.get("e").expect("e").span).to_string(),
        "t.yml:3:6"
    );
}

#[test]
fn every_duplicate_key_is_reported() {
    assert_eq!(
        problems("a: 1\nb: {c: 1, c: 2}\na: 2\n"),
        [
            "yaml-duplicate-key@2:11 key `c` is given twice",
            "yaml-duplicate-key@3:1 key `a` is given twice"
        ]
    );
}

#[test]
fn tabs_are_named() {
    for text in [
        "a:\n\tb: 1\n",
        "a:\n  b: 1\n\tc: 2\n",
        "a:\n  - 1\n \t- 2\n",
    ] {
        let found = problems(text);
        assert!(found[0].starts_with("yaml-tab@"), "{text:?}: {found:?}");
    }
}

#[test]
fn a_bare_template_is_named() {
    for text in ["a: {{ b }}\n", "a: {{ b }}-c\n", "a:\n  - {{ b }}\n"] {
        let found = problems(text);
        assert!(
            found[0].starts_with("yaml-template@"),
            "{text:?}: {found:?}"
        );
    }
    assert_eq!(value("a: '{{ b }}'"), json!({"a": "{{ b }}"}));
}

#[test]
fn bad_yaml_has_a_place() {
    assert!(problems("a: [1, 2\nb: 3\n")[0].starts_with("yaml-syntax@"));
    assert!(problems("a: *nowhere\n")[0].starts_with("yaml-syntax@1:4"));
    assert_eq!(
        problems("a: 1\n---\nb: 2\n"),
        ["yaml-documents@2:1 more than one YAML document in a file"]
    );
}

#[test]
fn an_ini_inventory_is_recognised() {
    let mut sources = Sources::default();
    let found = parse_text(&mut sources, "hosts", "# x\n[web]\n10.0.0.1 a=b\n").expect_err("INI");
    assert!(found[0].help[0].contains("INI"), "{found:?}");
    let published = "# Autobase\n\n[etcd_cluster]  # 3, or 5-7 nodes\n#10.0.0.1\n\n[master]\n";
    let found = parse_text(&mut sources, "hosts", published).expect_err("INI");
    assert!(
        found[0].help[0].ends_with("`ansible-inventory -i FILE --list --yaml` writes it as YAML"),
        "{found:?}"
    );
}

#[test]
fn alias_bombs_stop() {
    let mut text = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1]\n");
    for level in 1..10 {
        let below = format!("*a{},", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(problems(&text)[0].starts_with("yaml-alias-budget@"));
}

#[test]
fn an_alias_inside_its_anchor_is_an_error() {
    assert!(problems("a: &a [*a]\n")[0].starts_with("yaml-alias@1:8"));
}

#[test]
fn tags_are_kept() {
    let node =
        read("a: !vault |\n  $ANSIBLE_VAULT\nb: !!str 123\nc: !unsafe 'x'\n").expect("a node");
    assert_eq!(node.get("a").and_then(|n| n.tag.as_deref()), Some("!vault"));
    assert_eq!(node.get("b").map(Node::to_json), Some(json!("123")));
    assert_eq!(
        node.get("c").and_then(|n| n.tag.as_deref()),
        Some("!unsafe")
    );
}

#[test]
fn ambiguous_strings_are_quoted() {
    for text in [
        "yes",
        "on",
        "n",
        "12:30",
        "0644",
        "1e3",
        "0o17",
        "2024-01-01",
        "",
        " a",
        "a: b",
        "a #b",
        "#",
        "- a",
        "{",
        "~",
        "null",
        "=",
        "1_0",
        ".5",
        "-1",
        "a:",
        "12:30:45",
    ] {
        assert_eq!(emit(&json!(text)), format!("'{text}'\n"), "{text:?}");
    }
    for text in [
        "a",
        "10.10.10.10",
        "a b",
        "pg-citus",
        "/pg/data",
        "a:b",
        "10.0.0.0/8",
        "it's",
    ] {
        assert_eq!(emit(&json!(text)), format!("{text}\n"), "{text:?}");
    }
}

#[test]
fn emits_block_style() {
    let value = json!({"a": {"b": [1, {"c": true, "d": []}, [2]], "e": "x\ny\n"}, "f": {}});
    let want =
        "a:\n  b:\n    - 1\n    - c: true\n      d: []\n    - - 2\n  e: |\n    x\n    y\nf: {}\n";
    assert_eq!(emit(&value), want);
}

#[test]
fn steps_are_as_wide_as_asked() {
    let value = json!({"a": {"b": [{"c": 1, "d": [2]}]}});
    let want = "a:\n    b:\n        -   c: 1\n            d:\n                - 2\n";
    assert_eq!(emit_indented(&value, 4), want);
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![".{0,12}", "[a-z0-9:._ #'\\-\n]{0,12}", "[0-9:._eE+-]{1,8}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_emitted_reads_back(wanted in any_value(), step in 1_usize..6) {
        let text = emit_indented(&wanted, step);
        let read = parse_text(&mut Sources::default(), "t.yml", &text);
        let node = read.map_err(|e| TestCaseError::fail(format!("{e:?}\n{text}")))?;
        prop_assert_eq!(node.map_or(Value::Null, |n| n.to_json()), wanted, "{}", text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-c:&*\\[\\]{}<>|!'\"\t\n \\-#%\u{e9}]{0,60}") {
        let _ = parse_text(&mut Sources::default(), "t.yml", &text);
    }
}
