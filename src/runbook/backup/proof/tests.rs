//! Rows, pages and ways out, judged.

use super::*;

fn host(last: u8) -> HostName {
    HostName::from(format!("10.0.0.{last}").as_str())
}

fn answer(rows: &str, extra: &str) -> Result<String, String> {
    Ok(format!(
        "@@n recovery\nf\n{extra}@@n rows app\n{rows}\n@@n rows postgres\n\n@@n end\n"
    ))
}

#[test]
fn rows_that_differ_are_found_with_their_table() {
    let frame = Frame::new("n");
    let said: Said = [
        (host(1), answer(r#"{"public.a": 3, "public.b": 0}"#, "")),
        (
            host(2),
            answer(r#"{"public.a": 2, "public.b": 0}"#, "@@n behind\nf\n"),
        ),
        (host(3), answer(r#"{"public.a": 3}"#, "@@n behind\nt\n")),
    ]
    .into();
    let judge = Judge {
        frame: &frame,
        said: &said,
    };
    let (one, two) = (judge.rows(&host(1)).unwrap(), judge.rows(&host(2)).unwrap());
    assert_eq!(difference(&one, &one), None);
    assert_eq!(
        difference(&one, &two).unwrap(),
        "app: public.a: 3 rows and 2 rows"
    );
    assert!(
        judge
            .rows(&host(3))
            .unwrap_err()
            .contains("as far as its leader")
    );
    assert!(judge.rows(&host(4)).is_err());
    let failed =
        Ok("@@n failed rows of app\nERROR:  no\n@@n rows postgres\n\n@@n end\n".to_owned());
    let said: Said = [
        (host(1), failed),
        (host(2), answer(r#"{"public.a": null}"#, "")),
    ]
    .into();
    let judge = Judge {
        frame: &frame,
        said: &said,
    };
    assert_eq!(judge.rows(&host(1)).unwrap_err(), "rows of app: ERROR:  no");
    assert!(judge.rows(&host(2)).is_err());
    assert_eq!(sum(&one), (2, 3));
    let through = Counts::from([("app".to_owned(), [("public.a".to_owned(), 3)].into())]);
    assert_eq!(short(&through, &through), None);
    let less = Counts::from([("app".to_owned(), [("public.a".to_owned(), 2)].into())]);
    assert!(short(&through, &less).unwrap().contains("hold 2 rows"));
}

#[test]
fn a_way_out_and_a_host_that_is_silent_are_no_isolation() {
    let said = |text: &str| Said::from([(host(1), Ok(text.to_owned()))]);
    assert_eq!(judge_ways_out("f", &said("asked\n")).proof, Proof::Holds);
    assert_eq!(
        judge_ways_out("f", &said("default via 10.0.0.254\nasked\n")).proof,
        Proof::Fails
    );
    assert_eq!(judge_ways_out("f", &said("")).proof, Proof::Fails);
    let silent = Said::from([(host(1), Err("no answer".to_owned()))]);
    assert_eq!(judge_ways_out("f", &silent).proof, Proof::Unknown);
    assert_eq!(judge_ways_out("f", &Said::new()).proof, Proof::Unknown);
}

#[test]
fn pages_are_judged_by_what_was_run() {
    let frame = Frame::new("n");
    let proofs = |text: &str| -> Vec<Proof> {
        judge_pages(&frame, "a", &host(1), &Ok(text.to_owned()))
            .iter()
            .map(|it| it.proof)
            .collect()
    };
    let well = "@@n amcheck\n@@n amcheck-ended 0\n@@n checksums\nChecksum operation completed\n@@n checksums-ended 0\n@@n end\n";
    assert_eq!(proofs(well), [Proof::Holds, Proof::Holds]);
    let absent = "@@n amcheck\n@@n checksums\npg_checksums: error: data checksums are not enabled in cluster\n@@n checksums-ended 1\n@@n end\n";
    assert_eq!(proofs(absent), [Proof::Skipped, Proof::Skipped]);
    let bad = "@@n amcheck\nheap table a: b\n@@n amcheck-ended 2\n@@n checksums\nBad checksums: 1\n@@n checksums-ended 1\n@@n end\n";
    assert_eq!(proofs(bad), [Proof::Fails, Proof::Fails]);
    assert_eq!(proofs(""), [Proof::Unknown, Proof::Unknown]);
}
