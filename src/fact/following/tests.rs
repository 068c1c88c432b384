use super::*;
use crate::fact::Receiver;

fn primary(standbys: &[(&str, &str)]) -> PostgresSeen {
    let standbys = standbys.iter().map(|(name, state)| Sender {
        name: (*name).to_owned(),
        state: Some((*state).to_owned()),
        sync: Some("async".to_owned()),
        flushed: Some(1000),
    });
    PostgresSeen {
        system: "7".to_owned(),
        written: Some(1000),
        standbys: standbys.collect(),
        timeline: Timeline::Known(2),
        history: vec!["1 0/3000000".to_owned()],
        ..PostgresSeen::default()
    }
}

fn standby() -> PostgresSeen {
    PostgresSeen {
        system: "7".to_owned(),
        recovery: true,
        received: Some(1000),
        replayed: Some(1000),
        receiver: Some(Receiver {
            status: "streaming".to_owned(),
            host: Some("10.0.0.1".to_owned()),
            port: Some(5432),
        }),
        timeline: Timeline::Known(2),
        history: vec!["1 0/3000000".to_owned()],
        ..PostgresSeen::default()
    }
}

fn judged(
    own: Result<PostgresSeen, String>,
    leader: Option<Result<PostgresSeen, String>>,
) -> MemberVerdict {
    let mut answers = Answers::from([(InstanceName::new("a-2"), own)]);
    if let Some(leader) = leader {
        answers.insert(InstanceName::new("a-1"), leader);
    }
    following(
        &InstanceName::new("a-2"),
        Some(&InstanceName::new("a-1")),
        &answers,
    )
}

fn words(own: PostgresSeen) -> Vec<String> {
    let verdict = judged(Ok(own), Some(Ok(primary(&[("a-2", "streaming")]))));
    verdict
        .ills
        .iter()
        .map(|ill| ill.words().to_owned())
        .collect()
}

#[test]
fn a_standby_that_receives_and_replays_follows() {
    let verdict = judged(Ok(standby()), Some(Ok(primary(&[("a-2", "streaming")]))));
    assert!(verdict.sound(), "{verdict:?}");
    assert_eq!(
        (verdict.received_behind, verdict.replay_behind),
        (Some(0), Some(0))
    );
    let behind = PostgresSeen {
        received: Some(900),
        replayed: Some(850),
        ..standby()
    };
    let mut source = primary(&[("a-2", "streaming")]);
    source.standbys[0].flushed = Some(800);
    let verdict = judged(Ok(behind), Some(Ok(source)));
    assert_eq!(
        (verdict.received_behind, verdict.replay_behind),
        (Some(100), Some(50))
    );
}

#[test]
fn replay_that_is_paused_is_not_following() {
    let paused = PostgresSeen {
        paused: true,
        received: Some(3 << 20),
        replayed: Some(0),
        ..standby()
    };
    assert_eq!(
        words(paused),
        [
            "does not follow: its replay is paused with 3.0 MiB received and not replayed (`SELECT pg_wal_replay_resume()` there goes on)"
        ]
    );
}

#[test]
fn slow_replay_is_an_ill_only_when_it_lasts_and_is_not_wanted() {
    let slow = PostgresSeen {
        received: Some(3 << 20),
        replayed: Some(0),
        age: Some(60.0),
        ..standby()
    };
    assert!(words(slow.clone())[0].starts_with("replays too slowly: 3.0 MiB"));
    let moment = PostgresSeen {
        age: Some(2.0),
        ..slow.clone()
    };
    let delayed = PostgresSeen {
        delay: 3_600_000,
        ..slow
    };
    assert!(words(moment).is_empty() && words(delayed).is_empty());
}

#[test]
fn a_login_that_is_refused_is_told_by_the_log() {
    let refused = PostgresSeen {
        receiver: None,
        complaint: Some("FATAL:  password authentication failed".to_owned()),
        ..standby()
    };
    assert_eq!(
        words(refused),
        [
            "does not follow: it has no WAL receiver, so nothing reaches it; its log says: FATAL:  password authentication failed"
        ]
    );
    let waiting = PostgresSeen {
        receiver: Some(Receiver {
            status: "waiting".to_owned(),
            ..Receiver::default()
        }),
        ..standby()
    };
    assert_eq!(
        words(waiting),
        ["does not follow: its WAL receiver is waiting"]
    );
}

#[test]
fn the_leader_has_to_send_to_it() {
    let verdict = judged(Ok(standby()), Some(Ok(primary(&[]))));
    assert_eq!(
        verdict.ills,
        [Ill::Seen(
            "does not follow: neither a-1 nor another member sends to it (pg_stat_replication)"
                .to_owned()
        )]
    );
    let verdict = judged(Ok(standby()), Some(Ok(primary(&[("a-2", "catchup")]))));
    assert_eq!(
        verdict.ills,
        [Ill::Seen(
            "has not caught up: a-1 sends to it in state `catchup`".to_owned()
        )]
    );
    let mut cascade = standby();
    cascade.standbys = primary(&[("a-2", "streaming")]).standbys;
    let answers = Answers::from([
        (
            InstanceName::new("a-1"),
            Ok(primary(&[("a-3", "streaming")])),
        ),
        (InstanceName::new("a-2"), Ok(standby())),
        (InstanceName::new("a-3"), Ok(cascade)),
    ]);
    let leader = InstanceName::new("a-1");
    assert!(following(&InstanceName::new("a-2"), Some(&leader), &answers).sound());
}

#[test]
fn histories_have_to_be_equal_and_not_their_numbers() {
    let other = PostgresSeen {
        history: vec!["1 0/2000000".to_owned()],
        ..standby()
    };
    assert_eq!(
        words(other),
        [
            "does not follow: its timeline 2 left 1 at 0/2000000, that of a-1 left 1 at 0/3000000: two histories with one number (`citusctl reinit` makes a copy of the leader's)"
        ]
    );
    let old = PostgresSeen {
        timeline: Timeline::Known(1),
        history: Vec::new(),
        ..standby()
    };
    assert_eq!(words(old), ["is on timeline 1, its leader on 2"]);
    let later = PostgresSeen {
        timeline: Timeline::Known(3),
        ..standby()
    };
    let later = words(later).join("; ");
    assert!(
        later.contains("it is on timeline 3, its leader on 2: it has what its leader has not"),
        "{later}"
    );
    let foreign = PostgresSeen {
        system: "8".to_owned(),
        ..standby()
    };
    assert!(words(foreign)[0].starts_with("is a copy of another cluster"));
}

#[test]
fn two_primaries_are_seen() {
    let second = PostgresSeen {
        recovery: false,
        ..standby()
    };
    assert!(words(second)[0].starts_with("is a primary beside its leader"));
    let led = leading(&Ok(standby()), false);
    assert!(led.ills[0].words().contains("it takes no writes"));
    assert!(leading(&Ok(primary(&[])), false).sound());
    // Who leads a standby cluster is a standby, and has to receive.
    assert!(leading(&Ok(standby()), true).sound());
    let cut = PostgresSeen {
        receiver: None,
        ..standby()
    };
    assert!(!leading(&Ok(cut), true).sound());
}

#[test]
fn what_is_not_known_is_not_fine() {
    let unknown = |verdict: MemberVerdict| matches!(verdict.ills.as_slice(), [Ill::Unknown(_)]);
    assert!(unknown(judged(
        Err("it hangs".to_owned()),
        Some(Ok(primary(&[])))
    )));
    assert!(unknown(judged(
        Ok(standby()),
        Some(Err("it hangs".to_owned()))
    )));
    let mute = PostgresSeen {
        timeline: Timeline::Unknown("FATAL".to_owned()),
        ..standby()
    };
    assert!(unknown(judged(
        Ok(mute),
        Some(Ok(primary(&[("a-2", "streaming")])))
    )));
    assert!(unknown(leading(&Err("it hangs".to_owned()), false)));
    // Whoever was left out of the run is no evidence against it: the member's own words are left.
    assert!(judged(Ok(standby()), None).sound());
}
