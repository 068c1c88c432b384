//! Ansible's switches for checking host keys, wherever they stand, and what each means for a run.

use crate::app::options::Options;
use crate::inventory::parameters::boolean;
use crate::model::{Connection, Model};
use crate::transport::HostKeyPolicy;
use serde_json::Value;
use std::path::Path;

/// What stands outside of the inventory: the environment before the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checking {
    outside: Option<bool>,
    /// One sentence for each switch that is set.
    pub told: Vec<String>,
}

const VARIABLES: [&str; 2] = ["ANSIBLE_SSH_HOST_KEY_CHECKING", "ANSIBLE_HOST_KEY_CHECKING"];
const SECTIONS: [&str; 2] = ["ssh_connection", "defaults"];

impl Checking {
    /// Reads the environment and the `ansible.cfg` beside the inventory.
    pub fn read(options: &Options, model: &Model) -> Self {
        let environment = |name: &str| std::env::var(name).ok();
        let file = options.inventory.with_file_name("ansible.cfg");
        let text = fs_err::read_to_string(&file).unwrap_or_default();
        let mut checking = Self::of(environment, (&text, &file));
        let written = |value| {
            let connections = model.hosts.values().map(|host| &host.connection);
            connections
                .filter(|c| c.host_key_checking == Some(value))
                .count()
        };
        for value in [false, true] {
            if let hosts @ 1.. = written(value) {
                let hosts = crate::ui::count(hosts, "host");
                let place = format!("`ansible_host_key_checking: {value}` ({hosts})");
                checking.told.insert(0, sentence(&place, value));
            }
        }
        if let Some(flag) = options.connect.host_keys {
            for text in &mut checking.told {
                text.push_str(&format!("; `--host-keys {}` overrules it", flag.name()));
            }
        }
        checking
    }

    fn of(environment: impl Fn(&str) -> Option<String>, (text, file): (&str, &Path)) -> Self {
        let mut checking = Self::default();
        for name in VARIABLES {
            let value = environment(name);
            checking.found(name.to_owned(), value.as_deref().map(str::trim));
        }
        for section in SECTIONS {
            let place = format!("`host_key_checking` in {}", file.display());
            checking.found(place, ini(text, section, "host_key_checking"));
        }
        checking
    }

    fn found(&mut self, place: String, value: Option<&str>) {
        match value
            .filter(|value| !value.is_empty())
            .map(|v| (v, boolean(&Value::from(v))))
        {
            None => {}
            Some((_, Some(value))) => {
                self.told
                    .push(sentence(&format!("{place} ({value})"), value));
                self.outside.get_or_insert(value);
            }
            Some((text, None)) => self.told.push(format!(
                "{place}: `{text}` is neither true nor false: without effect"
            )),
        }
    }

    /// The policy for a host, unless the ssh configuration decides: arguments of ssh, then the inventory, then what stands
    /// outside of it.
    pub fn policy(&self, connection: &Connection) -> Option<HostKeyPolicy> {
        if connection.ssh.first("stricthostkeychecking").is_some() {
            return None;
        }
        match connection.host_key_checking.or(self.outside) {
            Some(false) => Some(HostKeyPolicy::Off),
            Some(true) | None => None,
        }
    }
}

fn sentence(place: &str, value: bool) -> String {
    match value {
        true => format!("{place}: host keys are checked as ~/.ssh/config says, else strictly"),
        false => format!(
            "{place}: unknown host keys are accepted and recorded, changed ones are refused"
        ),
    }
}

/// The value of a key in a section of an ini file.
fn ini<'t>(text: &'t str, section: &str, key: &str) -> Option<&'t str> {
    let mut here = "";
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            here = name.trim();
        } else if here == section
            && let Some((name, value)) = line.split_once(['=', ':'])
            && name.trim().eq_ignore_ascii_case(key)
        {
            let value = value.split([';', '#']).next().unwrap_or_default();
            return Some(value.trim());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(environment: &[(&str, &str)], text: &str) -> Checking {
        let find = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Checking::of(find, (text, Path::new("ansible.cfg")))
    }

    #[test]
    fn each_switch_is_told_and_the_environment_is_stronger_than_the_file() {
        let file =
            "[other]\nhost_key_checking = True\n[defaults]\n# x\nhost_key_checking = False ; y\n";
        let checking = of(&[("ANSIBLE_HOST_KEY_CHECKING", "yes")], file);
        assert_eq!(checking.outside, Some(true));
        assert_eq!(
            checking.told,
            [
                "ANSIBLE_HOST_KEY_CHECKING (true): host keys are checked as ~/.ssh/config says, else strictly",
                "`host_key_checking` in ansible.cfg (false): unknown host keys are accepted and recorded, changed ones are refused",
            ]
        );
        assert_eq!(of(&[], file).outside, Some(false));
        assert_eq!(
            of(&[], "[defaults]\nhost_key_checking=\n"),
            Checking::default()
        );
        let wrong = of(&[("ANSIBLE_HOST_KEY_CHECKING", "perhaps")], "");
        assert_eq!((wrong.outside, wrong.told.len()), (None, 1));
    }
}
