//! What a change of a parameter means for what runs already.

use super::{Module, Typed, all};

/// What a changed value does to a formation that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// No service is reloaded or restarted: files, roles, databases, accounts, what Patroni reads from etcd, and what only a run
    /// itself uses.
    Nothing,
    /// Services read their configuration again; connections stay.
    Reload,
    /// A service other than PostgreSQL restarts.
    Restart,
    /// PostgreSQL's settings: a reload, or a rolling restart where PostgreSQL needs one.
    Settings,
    /// PostgreSQL restarts, standbys first, a switchover before the leader.
    Rolling,
    /// A service is started, or stopped and taken away.
    Service,
    /// Counts before the first start or the first run; a later change does nothing.
    Once,
    /// Counts when a group is made. Another value on a group that is there is refused.
    Bootstrap,
    /// What a host, an instance, a group or a member of etcd is. Another value on one that is there is refused.
    Identity,
}

impl Effect {
    /// In a few words, for tables.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "no reload, no restart",
            Self::Reload => "reload",
            Self::Restart => "restart of the service",
            Self::Settings => "reload, or rolling restart",
            Self::Rolling => "rolling restart",
            Self::Service => "starts or stops the service",
            Self::Once => "only before the first start",
            Self::Bootstrap => "refused: only at bootstrap",
            Self::Identity => "refused: identity",
        }
    }

    /// Whether a host keeps the value, so that another one is refused on what is there.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Bootstrap | Self::Identity)
    }
}

/// What an instance ([`Module::Pgsql`]) or a member of etcd ([`Module::Etcd`]) is: values that its host keeps.
pub fn kept(typed: &Typed<'_>, module: Module) -> Vec<(&'static str, String)> {
    let wanted = all().filter(|param| param.module == module && param.effect.is_kept());
    let text = |name: &str| match typed.json(name) {
        serde_json::Value::Bool(value) => value.to_string(),
        _ => typed.str(name),
    };
    wanted
        .map(|param| (param.name, text(param.name).trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Support, lookup};
    use super::*;

    #[test]
    fn what_is_kept_belongs_to_an_instance_or_a_member_of_etcd() {
        let kept = all().filter(|param| param.effect.is_kept());
        for param in kept {
            assert_eq!(param.support, Support::Used, "{}", param.name);
            assert!(
                matches!(param.module, Module::Pgsql | Module::Etcd),
                "{} is in no record",
                param.name
            );
        }
        let effect = |name: &str| lookup(name).map(|param| param.effect);
        assert_eq!(effect("pg_cluster"), Some(Effect::Identity));
        assert_eq!(effect("pg_checksum"), Some(Effect::Bootstrap));
        assert_eq!(effect("pg_parameters"), Some(Effect::Settings));
    }
}
