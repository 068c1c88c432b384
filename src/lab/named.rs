//! Hosts that are named for a fault, judged before anything is done to the first of them.

use super::error::LabError;
use super::machine::Lab;
use std::collections::BTreeSet;

impl Lab {
    /// Whether all these hosts can lose their power (`running`), or get it back.
    ///
    /// # Errors
    /// No such host, one that is named twice, one that is off or on already.
    pub fn check_power(&self, hosts: &[String], running: bool) -> Result<(), LabError> {
        let mut known = BTreeSet::new();
        for host in hosts {
            let index = self.record.index(host)?;
            if !known.insert(index) {
                return Err(bad(host, "is named twice"));
            }
            let name = &self.record.spec.hosts[index].name;
            let runs = self.record.pids.get(name).is_some_and(|pid| pid.alive());
            match (runs, running) {
                (true, true) | (false, false) => {}
                (true, false) => {
                    return Err(LabError::Running {
                        host: name.to_string(),
                    });
                }
                (false, true) => {
                    return Err(LabError::NotRunning {
                        host: name.to_string(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether all these hosts can be cut off from that one.
    ///
    /// # Errors
    /// No such host, or that one itself.
    pub fn check_pairs(&self, hosts: &[String], from: &str) -> Result<(), LabError> {
        let other = self.record.index(from)?;
        for host in hosts {
            if self.record.index(host)? == other {
                return Err(bad(host, "cannot be cut off from itself"));
            }
        }
        Ok(())
    }
}

fn bad(host: &str, problem: &str) -> LabError {
    LabError::BadHost {
        host: host.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::record::Record;
    use crate::lab::spec::{LabHost, LabSpec};
    use std::collections::BTreeMap;

    fn off() -> Lab {
        let host = |last: u8| LabHost {
            name: format!("10.10.10.{last}").as_str().into(),
            address: [10, 10, 10, last].into(),
            hostname: format!("pg-{last}"),
        };
        Lab {
            record: Record {
                spec: LabSpec::new("none".to_owned(), [11, 12].map(host).to_vec()),
                tag: String::new(),
                layers: Vec::new(),
                debs: "/nonexistent".into(),
                dir: "/nonexistent".into(),
                pids: BTreeMap::new(),
            },
        }
    }

    #[test]
    fn one_bad_name_and_nothing_is_done_to_the_others() {
        let lab = off();
        let words = |hosts: &[&str], running| {
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            lab.check_power(&hosts, running)
                .map_err(|error| error.to_string())
        };
        assert_eq!(words(&["10.10.10.11", "10.10.10.12"], false), Ok(()));
        assert!(
            words(&["10.10.10.11", "10.10.10.99"], false)
                .unwrap_err()
                .contains("no host")
        );
        assert!(
            words(&["10.10.10.11", "pg-11"], false)
                .unwrap_err()
                .contains("named twice")
        );
        assert!(
            words(&["10.10.10.11"], true)
                .unwrap_err()
                .contains("does not run")
        );
        let own = lab.check_pairs(
            &["10.10.10.12".to_owned(), "pg-11".to_owned()],
            "10.10.10.11",
        );
        assert!(own.unwrap_err().to_string().contains("from itself"));
    }
}
