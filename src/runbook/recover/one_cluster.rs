//! Members of etcd that are healthy, and in another cluster than the others.

use super::Surveyed;

impl Surveyed {
    /// Takes the word of a member that is healthy in another cluster than most for nothing: nothing is asked of it, and it is
    /// not alive.
    pub fn of_one_cluster(&mut self) {
        let healthy = || self.hosts.values().filter(|host| host.etcd.majority);
        let weight = |id: u64| {
            let of = healthy().filter(|host| host.etcd.cluster == Some(id));
            let listed = of.clone().map(|host| host.etcd.members.len()).max();
            (of.count(), listed)
        };
        let ids = healthy().filter_map(|host| host.etcd.cluster);
        let Some(most) = ids.max_by_key(|id| weight(*id)) else {
            return;
        };
        for host in self.hosts.values_mut() {
            if host.etcd.cluster.is_some_and(|id| id != most) {
                host.etcd.majority = false;
                host.etcd.stranger = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::HostName;
    use crate::runbook::recover::seen::{EtcdMemberSeen, EtcdSeen, HostSeen};

    #[test]
    fn a_healthy_member_of_another_cluster_is_not_believed() {
        let host = |cluster: u64, listed: usize| {
            let member = EtcdMemberSeen {
                id: "a1".to_owned(),
                started: true,
                name: "etcd-1".to_owned(),
                peer: "https://10.0.0.1:2380".to_owned(),
                learner: false,
            };
            HostSeen {
                etcd: EtcdSeen {
                    majority: true,
                    cluster: Some(cluster),
                    members: vec![member; listed],
                    ..EtcdSeen::default()
                },
                ..HostSeen::default()
            }
        };
        let judged = |hosts: &[(&str, u64, usize)]| {
            let hosts = hosts.iter();
            let mut seen = Surveyed {
                hosts: hosts
                    .map(|(name, id, listed)| (HostName::new(*name), host(*id, *listed)))
                    .collect(),
                ..Surveyed::default()
            };
            seen.of_one_cluster();
            let strangers = seen.hosts.iter().filter(|(_, host)| host.etcd.stranger);
            let strangers: Vec<String> = strangers.map(|(name, _)| name.to_string()).collect();
            (seen.majority().map(ToString::to_string), strangers)
        };
        let (majority, strangers) = judged(&[("a", 1, 1), ("b", 2, 3), ("c", 2, 3)]);
        assert_eq!(
            (majority.as_deref(), strangers),
            (Some("b"), vec!["a".to_owned()])
        );
        // One against one: a cluster of three that one member answers for is more than one of its own.
        let (majority, strangers) = judged(&[("a", 1, 1), ("b", 2, 3)]);
        assert_eq!(
            (majority.as_deref(), strangers),
            (Some("b"), vec!["a".to_owned()])
        );
        let (majority, strangers) = judged(&[("a", 2, 3), ("b", 2, 3)]);
        assert_eq!((majority.as_deref(), strangers), (Some("a"), Vec::new()));
    }
}
