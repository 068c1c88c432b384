mod shipped;

use super::*;
use serde_json::{Value as Json, json};

fn render(text: &str, context: &Json) -> Result<Rendered, TemplateError> {
    Engine::new([]).render_text("t.j2", text, &Context::from(context))
}

fn text(template: &str, context: &Json) -> String {
    render(template, context).unwrap().text
}

#[test]
fn prints_as_ansible_does() {
    let ctx = json!({"a": true, "n": null, "x": 1.5, "list": ["b", "a"]});
    let cases = [
        ("{{ a }} {{ n }} {{ x }}", "True None 1.5"),
        ("{% for i in list %}\n{{ i }}\n{% endfor %}\n", "b\na\n"),
        ("{{ list | sort | join(',') }}", "a,b"),
        ("{{ 'yes' | bool }} {{ 'x' | ternary('p', 'q') }}", "True p"),
        ("{{ \"it's\" | quote }}", r"'it'\''s'"),
        (
            "{{ 'a1b2' | regex_replace('([a-z])([0-9])', '\\\\2\\\\1') }}",
            "1a2b",
        ),
        ("{{ '4.0.7' is version('4', '>=') }}", "True"),
        (
            "{{ {'k': 1} | dict2items | to_json }}",
            r#"[{"key":"k","value":1}]"#,
        ),
        (
            "{{ {'a': {'b': 1}} | combine({'a': {'c': 2}}, recursive=true) | to_json }}",
            r#"{"a":{"b":1,"c":2}}"#,
        ),
        (
            "{{ '10.1.2.3/24' | ipaddr('network') }} {{ 'fd00::1' | ipwrap }}",
            "10.1.2.0 [fd00::1]",
        ),
        (
            "{{ 'x' | b64encode | b64decode }}{{ '/a/b.c' | basename }}{{ '/a/b.c' | dirname }}",
            "xb.c/a",
        ),
        (
            "{{ 'abc' | hash('sha256') }}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        ("{{ [1,2,3] | difference([2]) | to_json }}", "[1,3]"),
        ("{{ ','.join(list) }} {{ 'A'.lower() }}", "b,a a"),
    ];
    for (template, want) in cases {
        assert_eq!(text(template, &ctx), want, "{template}");
    }
}

#[test]
fn yaml_values_survive_any_password() {
    let ctx = json!({"p": "it's #1: \"x\"", "m": {"a": [1, "on"]}});
    assert_eq!(
        text("password: {{ p | yaml }}\nm:{{ m | yaml_child }}\n", &ctx),
        "password: 'it''s #1: \"x\"'\nm:\n  a:\n    - 1\n    - 'on'\n"
    );
}

#[test]
fn an_undefined_variable_has_a_name_and_a_place() {
    let error = render("one\n{{ pg.nothing }}\n", &json!({"pg": {}})).unwrap_err();
    assert!(error.undefined);
    assert_eq!(error.line, Some(2));
    assert_eq!(error.to_string(), "t.j2:2: `pg.nothing` is not defined");
    assert!(error.help().is_some());
}

#[test]
fn an_error_in_an_included_template_names_that_template() {
    let files = [("a", "x\n{% include 'b' %}"), ("b", "\n\n{{ nope }}")];
    let engine = Engine::new(files.map(|(n, t)| (n.to_owned(), t.to_owned())));
    let error = engine.render("a", &Context::default()).unwrap_err();
    assert_eq!((&*error.name, error.line), ("b", Some(3)));
    assert_eq!(error.expression.as_deref(), Some("nope"));
}

#[test]
fn all_broken_templates_are_reported() {
    let files = [("a", "{% if %}"), ("b", "fine"), ("c", "{{ x | nope( }}")];
    let engine = Engine::new(files.map(|(n, t)| (n.to_owned(), t.to_owned())));
    let names: Vec<Box<str>> = engine.check().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["a".into(), "c".into()]);
}

#[test]
fn reading_a_secret_makes_the_rendering_sensitive() {
    let ctx =
        json!({"a": {"b": secret(&"s3".to_owned().into_secret())}, "admin_password": "x", "c": 1});
    assert!(!render("{{ c }}", &ctx).unwrap().sensitive);
    assert!(render("{{ a.b }}", &ctx).unwrap().sensitive);
    assert!(render("{{ a | to_json }}", &ctx).unwrap().sensitive);
    assert!(render("{{ admin_password }}", &ctx).unwrap().sensitive);
    assert_eq!(text("{{ a | to_json }}", &ctx), r#"{"b":"s3"}"#);
}

#[test]
fn endless_templates_stop() {
    let loops = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(render(loops, &json!({})).is_err());
}

#[test]
fn expressions_have_values() {
    let engine = Engine::new([]);
    let ctx = json!({"pg": {"role": "primary"}});
    assert_eq!(
        engine
            .evaluate("pg.role == 'primary'", &Context::from(&ctx))
            .unwrap(),
        json!(true)
    );
    let marked = json!({"users": [{"name": "a", "word": {"$secret": "s"}}]});
    assert_eq!(
        engine.evaluate("users", &Context::from(&marked)).unwrap(),
        marked["users"]
    );
    assert_eq!(
        engine
            .evaluate("users[0].word ~ '!'", &Context::from(&marked))
            .unwrap(),
        json!("s!")
    );
    let error = engine
        .evaluate("pg.nope", &Context::from(&ctx))
        .unwrap_err();
    assert!(error.to_string().contains("pg.nope"), "{error}");
}

trait IntoSecret {
    fn into_secret(self) -> crate::secret::Secret;
}

impl IntoSecret for String {
    fn into_secret(self) -> crate::secret::Secret {
        crate::secret::Secret::new(self)
    }
}
