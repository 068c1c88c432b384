//! A log without room, certificates that have ended, a clock that is off: what happens, what our verbs say of it, and how it
//! is mended.

use super::mend::Broken;
use super::run::Drill;
use crate::app::failure::{Failure, chain, code};
use crate::event::drill::Millis;
use crate::names::HostName;
use crate::pki::{LeafRequest, PkiError, Usage};
use crate::resource::prelude;
use crate::secret::Secret;
use time::{Duration, OffsetDateTime};

/// Puts the log of the PostgreSQL on a host into memory, with little room, and back.
const SMALL_LOG: &str = include_str!("scripts/small-log.sh");
const LOG_BACK: &str = include_str!("scripts/log-back.sh");
/// Takes the room that is left, and writes until PostgreSQL cannot.
const FILL_LOG: &str = include_str!("scripts/fill-log.sh");
const NOT_FULL: &str = "as_dbsu rm -f \"$PG_DATA/pg_wal/drill-full\"";

/// Without an acknowledged write for so long (ms), the leader is not trusted any more.
const QUIET: Millis = 3000;

/// The host's own `date` and everything that asks it are ten minutes ahead. The kernel's clock belongs to all machines
/// of this computer and stays as it is.
const AHEAD: &str = "printf '#!/bin/sh\\nexec /bin/date -d \"10 minutes\" \"$@\"\\n' >/usr/local/bin/date; chmod 755 /usr/local/bin/date";
const CLOCK_BACK: &str = "rm -f /usr/local/bin/date";

impl Drill<'_> {
    /// A standby gets a log with little room and becomes the leader, so that nobody writes while the log is moved.
    pub async fn disk_full(&mut self) -> Result<(), Failure> {
        let old = self.leader.clone();
        let fit = |member: &&crate::model::Instance| member.host != old && !member.tags.nofailover;
        let Some(next) = self.group.members.iter().find(fit) else {
            return Err(Failure::new(
                code::REFUSED,
                "a drill of a full disk needs a second member, that takes over",
            ));
        };
        let (host, name) = (next.host.clone(), next.name.to_string());
        let at = self.mark(&format!("the log of {name} gets a small file system"));
        self.broke(Broken::Log(host.clone()));
        self.pg_shell(&host, SMALL_LOG)?;
        self.took(at);
        self.whole(240).await?;
        let group = self.group.cluster.to_string();
        let at = self.mark(&format!("{name} becomes the leader"));
        let words = ["switchover", "--group", &group, "--to", &name, "-y"];
        self.verb(&words).await?;
        self.took(at);
        self.writing(at, 60).await?;
        let at = self.mark(&format!("the file system of {name}'s log is filled"));
        self.pg_shell(&host, FILL_LOG)?;
        self.took(at);
        let at = self.mark("PostgreSQL there cannot write its log any more");
        self.went_on(at, 180).await;
        self.hear(&["status"]).await?;
        self.hear(&["plan"]).await?;
        let at = self.mark("there is room again");
        self.pg_shell(&host, NOT_FULL)?;
        self.whole(300).await?;
        self.writing(at, 60).await?;
        let at = self.mark(&format!("the log of {name} goes back to its disk"));
        self.pg_shell(&host, LOG_BACK)?;
        self.took(at);
        self.as_before().await
    }

    /// Whether writes flow again without a hand: that is what the drill finds out, not a condition of it.
    async fn went_on(&mut self, since: Millis, seconds: u64) {
        if self.writing(since, seconds).await.is_err() {
            self.mark(&format!("no writes for {seconds} s: nothing mends it"));
        }
    }

    /// PostgreSQL, Patroni, PgBouncer and etcd of the leader's host, as after a year in which nobody ran an apply.
    pub async fn certificate_expired(&mut self) -> Result<(), Failure> {
        let host = self.leader.clone();
        let at = self.mark(&format!("the certificates of {host} have ended"));
        self.broke(Broken::Certificates);
        for (base, request) in self.requests(&host) {
            let install = self.ended(base, &request)?;
            self.pg_shell(&host, install.expose())?;
        }
        let reload = "systemctl reload patroni; ! systemctl is-active -q pgbouncer || systemctl reload pgbouncer; \
            ! systemctl is-active -q etcd || systemctl restart --no-block etcd";
        self.shell(&host, reload)?;
        self.took(at);
        let quiet = |drill: &Self| drill.written.since(drill.now().saturating_sub(QUIET)) == 0;
        if self.until(60, quiet).await {
            self.mark("no writes any more: nobody trusts the leader, and nothing fails over");
        }
        self.hear(&["status"]).await?;
        self.hear(&["plan"]).await?;
        let at = self.mark("apply");
        self.verb(&["apply", "-y"]).await?;
        self.took(at);
        self.writing(at, 60).await?;
        self.as_before().await
    }

    /// Where the host's certificates are, and what they carry.
    fn requests(&self, host: &HostName) -> Vec<(&'static str, LeafRequest)> {
        let request = |name: &str, sans: &[String]| LeafRequest {
            name: name.to_owned(),
            common_name: String::new(),
            sans: sans.to_vec(),
            usage: Usage::Both,
            lifetime: Duration::days(1),
        };
        let member = self
            .group
            .members
            .iter()
            .find(|member| member.host == *host);
        let etcd = self
            .project
            .model
            .etcd
            .iter()
            .flat_map(|etcd| &etcd.members);
        let etcd = etcd.filter(|member| member.host == *host);
        let of_pg = member.map(|member| {
            let wanted = request(member.name.as_str(), &member.sans);
            ("/pg/cert", wanted)
        });
        let of_etcd = etcd.map(|member| {
            let wanted = request(&member.name, &member.sans);
            ("/etc/etcd", wanted)
        });
        of_pg.into_iter().chain(of_etcd).collect()
    }

    /// Writes a key and a certificate of the formation's own authority that ended yesterday over those of the host, whose owner and
    /// mode stay. The store keeps the good ones.
    fn ended(&self, base: &str, request: &LeafRequest) -> Result<Secret, Failure> {
        let failed = |error: PkiError| Failure::new(code::INPUT, chain(&error));
        let ca = self.project.authority(false)?;
        let leaf = ca
            .ended(request, OffsetDateTime::now_utc())
            .map_err(failed)?;
        let write = |kind: &str, text: &str| {
            format!(
                "within {base} sh -c 'cat >\"$0\"' server.{kind} <<'CITUSCTL_END'\n{}\nCITUSCTL_END\n",
                text.trim_end()
            )
        };
        let key = write("key", leaf.key_pem.expose());
        Ok(Secret::new(key + &write("crt", &leaf.cert_pem)))
    }

    /// Only what asks the host for the time notices: machines of a lab share this computer's clock, so services go on
    /// by the right one.
    pub async fn clock_off(&mut self) -> Result<(), Failure> {
        let host = self.leader.clone();
        let at = self.mark(&format!(
            "`date` on {host} says ten minutes more (its services keep this computer's clock)"
        ));
        self.broke(Broken::Clock(host.clone()));
        self.shell(&host, AHEAD)?;
        self.writing(at, 30).await?;
        self.hear(&["status"]).await?;
        self.hear(&["plan"]).await?;
        let at = self.mark(&format!("`date` on {host} is right again"));
        self.shell(&host, CLOCK_BACK)?;
        self.writing(at, 30).await?;
        self.as_before().await
    }

    /// Room, and the log back on its disk, if it is not there.
    pub(super) fn log_back(&mut self, host: &HostName) -> Result<(), Failure> {
        let script = format!(
            "mountpoint -q \"$(readlink -f \"$PG_DATA/pg_wal\")\" || exit 0\n{NOT_FULL}\n{LOG_BACK}"
        );
        self.pg_shell(host, &script)
    }

    pub(super) fn clock_ahead(&mut self, host: &HostName) -> Result<(), Failure> {
        self.shell(host, AHEAD)
    }

    pub(super) fn clock_back(&mut self, host: &HostName) -> Result<(), Failure> {
        self.shell(host, CLOCK_BACK)
    }

    /// A script on a host, told who PostgreSQL is and where.
    fn pg_shell(&mut self, host: &HostName, script: &str) -> Result<(), Failure> {
        let model = &self.project.model;
        let Some(found) = model.hosts.get(host) else {
            return Err(Failure::new(
                code::INPUT,
                format!("{host} is not in the inventory"),
            ));
        };
        let functions = crate::runbook::host_functions(model, found);
        let text = format!(
            "{}set -e\n{}\n{script}",
            prelude("drill"),
            functions.expose()
        );
        let text = Secret::new(text);
        let status = self.lab()?.feed(host.as_str(), "sh -s", &text)?;
        match status.success() {
            true => Ok(()),
            false => Err(Failure::new(
                code::FAILED,
                format!("{host}: a script of the drill failed ({status})"),
            )),
        }
    }
}
