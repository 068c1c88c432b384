//! Repositories as they are written, good and bad.

use super::*;
use serde_json::json;

fn read(written: Value) -> Result<Repository, String> {
    let Value::Object(written) = written else {
        panic!("a mapping")
    };
    let options: Result<Vec<_>, _> = written
        .iter()
        .map(|(key, value)| option("r", key, value, &str::to_owned))
        .collect();
    let options = options.map_err(|fault| fault.words)?;
    repository("r".to_owned(), options).map_err(|fault| fault.words)
}

#[test]
fn keys_are_pgbackrests_options() {
    let found = read(
        json!({"path": "/b", "retention_full_type": "count", "retention_full": 2, "bundle": true}),
    )
    .unwrap();
    let place = RepositoryPlace::Directory {
        path: "/b".to_owned(),
        shared: false,
    };
    assert_eq!(found.place, place);
    let lines: Vec<String> = found
        .options
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        lines,
        [
            "path=/b",
            "bundle=y",
            "retention-full=2",
            "retention-full-type=count"
        ]
    );
}

#[test]
fn what_is_kept_has_a_limit() {
    let found = read(json!({"host": "10.0.0.9", "path": "/b"})).unwrap();
    let place = RepositoryPlace::Host {
        host: "10.0.0.9".to_owned(),
        path: "/b".to_owned(),
        port: PORT,
    };
    assert_eq!(found.place, place);
    assert!(
        found
            .options
            .contains(&("retention-full".to_owned(), "14".to_owned()))
    );
}

#[test]
fn what_is_not_built_or_half_said_is_refused() {
    for (written, words) in [
        (json!({"path": "b"}), "no absolute path"),
        (json!({"type": "azure"}), "which is not built"),
        (
            json!({"type": "s3", "s3_bucket": "b"}),
            "has no `s3_endpoint`",
        ),
        (json!({"retention_ful": 2}), "has `retention_ful`"),
        (json!({"host_user": "x"}), "has `host_user`"),
        (
            json!({"path": "/b", "cipher_type": "aes-256-cbc"}),
            "has no `cipher_pass`",
        ),
        (
            json!({"path": "/b", "cipher_pass": "x"}),
            "is not encrypted",
        ),
        (json!({"path": "/b\nrepo1-host=x"}), "must be one line"),
    ] {
        let said = read(written).unwrap_err();
        assert!(said.contains(words), "{said}");
    }
}
