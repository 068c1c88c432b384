//! What `lab` does with a lab that is there, and how it is told.

use super::Options;
use super::failure::{Failure, pretty, result, say};
use crate::lab::{Lab, LabError, LabEvent, Progress};

/// Tells people what a lab does, unless they want quiet.
pub struct Teller {
    pub quiet: bool,
}

impl Progress for Teller {
    fn event(&self, event: LabEvent) {
        let text = match event {
            LabEvent::Building { what } => format!("building {what} (kept for later labs)"),
            LabEvent::BuildNote(note) => note,
            LabEvent::Built { what, took } => format!("built {what} in {:.0} s", took.as_secs_f64()),
            LabEvent::WaitingForBuild { what } => format!("waiting for another build of {what}"),
            LabEvent::StandIn => {
                "NOTE: `citus` in this lab is a STAND-IN for tests: nothing is distributed (--citus DIR lays a real build over it)".to_owned()
            }
            LabEvent::Booting { hosts } => format!("booting {hosts} hosts"),
            LabEvent::HostReady { host, after } => format!("{host} answers after {:.1} s", after.as_secs_f64()),
            LabEvent::HostStopped { host } => format!("{host} has lost its power"),
            LabEvent::Removed { lab } => format!("lab {lab} is gone"),
        };
        self.say(&text);
    }
}

impl Teller {
    /// Says it, unless quiet was asked for.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Self {
        let failure = Self::new(error.exit_code(), error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Boots hosts again, `empty` with new disks.
///
/// # Errors
/// No such lab or host, or what the system refused.
pub fn start(
    name: Option<&str>,
    empty: bool,
    hosts: &[String],
    teller: &Teller,
) -> Result<(), Failure> {
    let mut lab = Lab::find(name)?;
    lab.check_power(hosts, false)?;
    if empty {
        hosts.iter().try_for_each(|host| lab.renew(host))?;
    }
    hosts.iter().try_for_each(|host| lab.start(host, teller))?;
    Ok(())
}

/// Connects hosts well again: these, or all.
///
/// # Errors
/// No such lab or host, or what the system refused.
pub fn heal(name: Option<&str>, hosts: &[String], teller: &Teller) -> Result<(), Failure> {
    let lab = Lab::find(name)?;
    let all = || {
        lab.status()
            .hosts
            .into_iter()
            .map(|host| host.name.to_string())
    };
    let hosts = match hosts {
        [] => all().collect(),
        named => named.to_vec(),
    };
    lab.check_hosts(&hosts)?;
    for host in hosts {
        lab.heal(&host)?;
        teller.say(&format!("{host} is well connected"));
    }
    Ok(())
}

/// All labs and their hosts.
///
/// # Errors
/// They cannot be read.
pub fn list(options: &Options) -> Result<(), Failure> {
    let labs = Lab::list()?;
    if options.json {
        return result(&pretty(&labs)?);
    }
    for lab in labs {
        result(&format!("{}  {}, {}\n", lab.name, lab.suite, lab.citus))?;
        for host in lab.hosts {
            let state = if host.running { "running" } else { "off" };
            let faults: String = host
                .faults
                .iter()
                .map(|fault| format!(", {fault}"))
                .collect();
            result(&format!(
                "  {:<20} {:<16} {state}{faults}\n",
                host.name, host.address
            ))?;
        }
    }
    Ok(())
}
