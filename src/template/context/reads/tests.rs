//! What counts as read, and that a difference anywhere else does not.

use crate::secret::Secret;
use crate::template::{Context, Engine, secret};
use serde_json::{Value, json};

/// Whether a second context agrees with the first one in all that a text read of it.
fn agree(text: &str, first: &Value, second: &Value) -> bool {
    let engine = Engine::new([]);
    let (context, reads) = Context::from(first).noting();
    engine.render_text("text", text, &context).unwrap();
    reads.agree(&Context::from(second))
}

#[test]
fn a_value_that_was_not_read_may_differ() {
    let (one, other) = (
        json!({"a": {"b": 1, "c": 2}}),
        json!({"a": {"b": 1, "c": 3}, "d": 4}),
    );
    assert!(agree("{{ a.b }}", &one, &other));
    assert!(!agree("{{ a.c }}", &one, &other));
    assert!(!agree("{% if d is defined %}x{% endif %}", &one, &other));
}

#[test]
fn a_mapping_as_a_whole_is_read_by_loops_filters_and_lengths() {
    let (one, other) = (
        json!({"a": {"b": 1, "c": 2}}),
        json!({"a": {"b": 1, "c": 3}}),
    );
    for text in [
        "{% for key, value in a | items %}{{ key }}{% endfor %}",
        "{{ a | to_json }}",
        "{{ a | length }}",
    ] {
        assert!(agree(text, &one, &one), "{text}");
        assert!(!agree(text, &one, &other), "{text}");
    }
}

#[test]
fn whether_a_mapping_is_empty_is_less_than_what_is_in_it() {
    let text = "{% if a %}x{% endif %}";
    let (one, other) = (json!({"a": {"b": 1}}), json!({"a": {"b": 2, "c": 3}}));
    assert!(agree(text, &one, &other));
    assert!(!agree(text, &one, &json!({"a": {}})));
    assert!(!agree(text, &one, &json!({"a": null})));
}

#[test]
fn kinds_secrets_and_lists_count() {
    let pairs = [
        (json!(1), json!(1.0)),
        (json!(1), json!(true)),
        (json!("1"), json!(1)),
        (json!([1, 2]), json!([1, 3])),
        (json!([{"x": 1}]), json!([{"x": 2}])),
        (secret(&Secret::new("one")), secret(&Secret::new("two"))),
    ];
    for (one, other) in pairs {
        let text = "{{ a | to_json }}";
        let (one, other) = (json!({ "a": one }), json!({ "a": other }));
        assert!(agree(text, &one, &one), "{one}");
        assert!(!agree(text, &one, &other), "{one} {other}");
    }
}

#[test]
fn the_variable_of_a_loop_is_no_reading() {
    let engine = Engine::new([]);
    let (context, reads) = Context::from(&json!({"a": 1})).noting();
    let turn = context.with("item", &json!({"x": 1}));
    engine
        .render_text("text", "{{ item.x }}{{ a }}", &turn)
        .unwrap();
    assert!(reads.agree(&Context::from(&json!({"a": 1, "item": 7}))));
    assert!(!reads.agree(&Context::from(&json!({"a": 2}))));
}
