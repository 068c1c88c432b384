//! What a removal leaves in etcd: nothing of a member, of a group, of a formation's user.

use super::RemovalCase;
use crate::command::quote;
use crate::model::{Formation, Group, Instance};
use crate::names::HostName;
use crate::resource::Impact;
use crate::runbook::{Refusal, Script, Step};

impl<'a> RemovalCase<'a> {
    /// A host through which etcd can be changed: one of its majority.
    pub(super) fn etcd(&self) -> Result<&'a HostName, Refusal> {
        self.input.seen.majority().ok_or_else(|| {
            Refusal::new(
                "etcd has no majority: Patroni's keys cannot be taken out",
                "`citusctl etcd status` shows its members; `citusctl start --cold` if all machines were off",
            )
        })
    }

    /// Whether etcd still has a key that begins so.
    pub(super) fn has_keys(&self, start: &str) -> bool {
        let answers = self.left.values().filter_map(|left| left.keys.as_ref());
        let known: Vec<_> = answers.collect();
        known.is_empty()
            || known
                .iter()
                .any(|keys| keys.iter().any(|key| key.starts_with(start)))
    }

    /// Takes a member's key out, so that nobody counts on it until its lease would have ended.
    pub(super) fn forget(&self, group: &Group, member: &Instance) -> Result<Option<Step>, Refusal> {
        let key = format!("{}members/{}", group.dcs_prefix, member.name);
        if !self.has_keys(&key) {
            return Ok(None);
        }
        let title = format!("take {} out of Patroni's members", member.name);
        let key = quote(&key);
        let script = Script::new(
            format!("etcd_ctl del {key} >/dev/null"),
            gone(&format!("get --keys-only {key}")),
        );
        Ok(Some(Step::on(self.etcd()?, "member-key", title, script)))
    }

    /// Takes all keys with that beginning out.
    pub(super) fn forget_all(&self, start: &str, title: String) -> Result<Option<Step>, Refusal> {
        if !self.has_keys(start) {
            return Ok(None);
        }
        let start = quote(start);
        let script = Script::new(
            format!("etcd_ctl del --prefix {start} >/dev/null"),
            gone(&format!("get --prefix --keys-only {start}")),
        );
        let step = Step::on(self.etcd()?, "keys", title, script);
        Ok(Some(step.with_impact(Impact::Destroys)))
    }

    /// Takes the formation's user out of etcd, and lets a later apply make it again.
    pub(super) fn forget_user(&self, formation: &Formation) -> Result<Option<Step>, Refusal> {
        let name = formation.name.as_str();
        if !self.left.values().any(|left| left.users.contains(name)) {
            return Ok(None);
        }
        let name = quote(name);
        let act = format!(
            "if etcd_ctl user list | grep -qxF -- {name}; then etcd_ctl user delete {name} >/dev/null; fi\n\
             if etcd_ctl role list | grep -qxF -- {name}; then etcd_ctl role delete {name} >/dev/null; fi"
        );
        let holds = format!(
            "users=$(etcd_ctl user list) && roles=$(etcd_ctl role list) || {{ echo 'etcd does not answer'; false; }}\n\
             if printf '%s\\n' \"$users\" \"$roles\" | grep -qxF -- {name}; then echo 'it is still there'; false; fi"
        );
        let title = format!(
            "take the user and the role `{}` out of etcd",
            formation.name
        );
        Ok(Some(Step::on(
            self.etcd()?,
            "etcd-user",
            title,
            Script::new(act, holds),
        )))
    }

    /// The stamp of the users of etcd goes, so that the next apply looks at them again.
    pub(super) fn unstamp_users(&self) -> Option<Step> {
        let etcd = self.input.model.etcd.as_ref()?;
        let first = &etcd.members.first()?.host;
        self.left.contains_key(first).then(|| {
            let path = "/etc/citusctl/stamps/etcd-auth";
            let script = Script::new(format!("rm -f {path}"), format!("[ ! -e {path} ]"));
            Step::on(
                first,
                "etcd-stamp",
                "note that the users of etcd are to be made again when they are wanted",
                script,
            )
        })
    }
}

/// A question to etcd that has no answer any more.
fn gone(question: &str) -> String {
    format!(
        "found=$(etcd_ctl {question}) || {{ echo 'etcd does not answer'; false; }}\n\
         [ -z \"$found\" ] || {{ echo 'it is still there'; false; }}"
    )
}
