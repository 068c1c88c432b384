//! The etcd cluster that Patroni keeps its state in.

use crate::names::HostName;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// Shell functions that ask etcd and change its members, on the host of one; what each does stands beside it there. They
/// are the only place that knows how etcdctl is called.
pub const FUNCTIONS: &str = include_str!("../../templates/etcd.sh");

/// One etcd cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Etcd {
    /// Pigsty's `etcd_cluster`; also the token of the cluster.
    pub name: String,
    /// By `etcd_seq`.
    pub members: Vec<EtcdMember>,
    pub client_port: u16,
    pub peer_port: u16,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EtcdMember {
    /// `<etcd_cluster>-<etcd_seq>`.
    pub name: String,
    pub seq: u32,
    pub host: HostName,
    pub address: IpAddr,
    /// Joins without a vote (`etcd_learner`).
    pub learner: bool,
    /// Names and addresses that its certificate carries.
    pub sans: Vec<String>,
}

impl Etcd {
    /// `https://ADDRESS:PORT` of every member, for clients.
    pub fn endpoints(&self) -> Vec<String> {
        self.members
            .iter()
            .map(|member| member.client_url(self.client_port))
            .collect()
    }

    /// `NAME=https://ADDRESS:PORT` of every voting member, comma separated: etcd's `initial-cluster`.
    pub fn initial_cluster(&self) -> String {
        let voters = self.members.iter().filter(|member| !member.learner);
        let peers = voters.map(|member| {
            let url = url(member.address, self.peer_port);
            format!("{}={url}", member.name)
        });
        peers.collect::<Vec<_>>().join(",")
    }

    /// How many members must be alive for the cluster to write.
    pub fn quorum(&self) -> usize {
        self.voters() / 2 + 1
    }

    /// How many members may be lost.
    pub fn tolerance(&self) -> usize {
        self.voters().saturating_sub(self.quorum())
    }

    /// Members with a vote.
    pub fn voters(&self) -> usize {
        self.members.iter().filter(|member| !member.learner).count()
    }
}

impl EtcdMember {
    /// Where clients reach it.
    pub fn client_url(&self, port: u16) -> String {
        url(self.address, port)
    }
}

impl Etcd {
    /// The member of the inventory that etcd's own list has under this peer URL.
    pub fn at_peer(&self, url: &str) -> Option<&EtcdMember> {
        let mut members = self.members.iter();
        members.find(|member| {
            let peer = SocketAddr::new(member.address, self.peer_port);
            url == format!("https://{peer}")
        })
    }
}

fn url(address: IpAddr, port: u16) -> String {
    format!("https://{}", SocketAddr::new(address, port))
}

/// What is wrong with members whose cluster is not that of the most, by the identifiers that they give (`cluster_id`).
pub fn other_cluster(ids: &[(&str, u64)]) -> Vec<String> {
    let count = |id: u64| ids.iter().filter(|(_, other)| *other == id).count();
    let Some((first, most)) = ids.iter().rev().max_by_key(|(_, id)| count(*id)) else {
        return Vec::new();
    };
    let others = ids.iter().filter(|(_, id)| id != most);
    others
        .map(|(name, id)| {
            format!(
                "{name} is of another etcd cluster ({id:x}) than {first} ({most:x}), and nothing is replicated between them: \
                 stop etcd on the wrong one and move its data away (`etcd_data`), then `citusctl apply` takes it in"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_another_cluster_is_named() {
        assert!(other_cluster(&[]).is_empty());
        assert!(other_cluster(&[("etcd-1", 10), ("etcd-2", 10)]).is_empty());
        let said = other_cluster(&[("etcd-1", 11), ("etcd-2", 10), ("etcd-3", 10)]);
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with(
            "etcd-1 is of another etcd cluster (b) than etcd-2 (a), and nothing is replicated between them: stop"
        ));
        // One against one: the first of the inventory is who the other is held against.
        assert!(other_cluster(&[("etcd-1", 1), ("etcd-2", 2)])[0].starts_with("etcd-2 is"));
    }

    fn etcd(members: u32) -> Etcd {
        let member = |seq: u32| EtcdMember {
            name: format!("etcd-{seq}"),
            seq,
            host: HostName::new(format!("10.0.0.{seq}")),
            address: IpAddr::from([10, 0, 0, u8::try_from(seq).unwrap()]),
            learner: false,
            sans: Vec::new(),
        };
        Etcd {
            name: "etcd".into(),
            members: (1..=members).map(member).collect(),
            client_port: 2379,
            peer_port: 2380,
        }
    }

    #[test]
    fn quorum_and_tolerance() {
        let numbers: Vec<_> = (1..=5)
            .map(|n| (etcd(n).quorum(), etcd(n).tolerance()))
            .collect();
        assert_eq!(numbers, [(1, 0), (2, 0), (2, 1), (3, 1), (3, 2)]);
    }

    #[test]
    fn urls() {
        assert_eq!(etcd(1).endpoints(), ["https://10.0.0.1:2379"]);
        assert_eq!(
            etcd(2).initial_cluster(),
            "etcd-1=https://10.0.0.1:2380,etcd-2=https://10.0.0.2:2380"
        );
    }

    /// What the functions say where etcdctl knows this list of members, and those of `well` are healthy.
    fn shell(list: &str, well: &str, call: &str) -> String {
        let text = format!(
            "etcdctl() {{ case \"$*\" in *'member list') printf '%s\\n' '{list}' ;; *health) printf '%s' '{well}' ;; esac; }}\n\
             {FUNCTIONS}etcd_ctl_at() {{ etcd_plain \"$@\"; }}\n{call}"
        );
        let output = std::process::Command::new("sh")
            .args(["-ec", &text])
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    }

    const LIST: &str = "a1, started, etcd-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false\n\
        a2, started, etcd-2, https://10.0.0.2:2380, https://10.0.0.2:2379, false\n\
        a3, unstarted, , https://10.0.0.3:2380, , false\n\
        a4, started, etcd-4, https://10.0.0.4:2380, https://10.0.0.4:2379, true";

    #[test]
    fn a_member_that_was_never_started_has_a_vote() {
        let well = "https://10.0.0.1:2379 is healthy: successfully committed\n";
        assert_eq!(shell(LIST, well, "etcd_quorum x"), "3 1\n");
        assert_eq!(shell("Error: denied", "", "etcd_quorum x"), "0 0\n");
    }

    #[test]
    fn who_joins_is_named_among_the_others() {
        let call = "printf 'name: etcd-3\ninitial-cluster: old\ninitial-cluster-state: new\n' >conf.$$\n\
            trap 'rm -f conf.$$' EXIT\netcd_joining x etcd-3 https://10.0.0.3:2380 conf.$$";
        assert_eq!(
            shell(LIST, "", &format!("cd /tmp\n{call}")),
            "name: etcd-3\ninitial-cluster: etcd-1=https://10.0.0.1:2380,etcd-2=https://10.0.0.2:2380,\
             etcd-3=https://10.0.0.3:2380,etcd-4=https://10.0.0.4:2380\ninitial-cluster-state: existing\n"
        );
        let line = "a3, unstarted, , https://10.0.0.3:2380, , false\n";
        assert_eq!(shell(LIST, "", "etcd_entry x https://10.0.0.3:2380"), line);
        assert_eq!(shell(LIST, "", "etcd_entry x https://10.0.0.9:2380"), "");
    }

    #[test]
    fn only_a_dead_member_is_displaced_and_only_when_a_majority_is_left() {
        let own = "https://10.0.0.1:2380";
        let line = "a1, started, etcd-1, https://10.0.0.1:2380, https://10.0.0.1:2379, false";
        let displace = |quorum: &str, health: &str| {
            let call = format!(
                "etcd_quorum() {{ echo {quorum}; }}\netcd_plain() {{ {health}; }}\n\
                 etcd_retry() {{ echo \"did: $*\"; }}\n(etcd_displace x '{line}' {own}) || :"
            );
            shell(LIST, "", &call)
        };
        assert_eq!(
            displace("3 2", "false"),
            "did: etcd_ctl_at x member remove a1\n"
        );
        assert_eq!(
            displace("3 1", "false"),
            "etcd has 3 with a vote, 1 alive: without the dead one no majority would be left\n"
        );
        assert_eq!(
            displace("3 3", "true"),
            "member a1 at https://10.0.0.1:2380 is alive\n"
        );
    }

    #[test]
    fn who_refuses_a_connection_is_somebody() {
        let call = "host_answers 127.0.0.1 1 || :\nurl_address 'https://[fd00::1]:2380'\nurl_address https://10.0.0.1:2380";
        assert_eq!(
            shell("", "", call),
            "it refuses port 1\nfd00::1\n10.0.0.1\n"
        );
    }
}
