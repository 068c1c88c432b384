//! Who listens, with what proves which program that is: its working directory and its command line.

use super::Listener;
use std::collections::BTreeMap;

/// Shell text: `ss`, then two processes for all listeners together. Needs `mark`.
pub const PROGRAM: &str = include_str!("scripts/listeners.sh");

/// Reads the two sections of [`PROGRAM`]: `LISTEN 0 128 10.0.0.1:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))`, and what is known of each process.
pub fn read(listeners: &str, processes: &str) -> Vec<Listener> {
    let (places, commands) = known(processes);
    let mut found: Vec<Listener> = Vec::new();
    for line in listeners.lines() {
        let local = line.split_whitespace().nth(3);
        let port = local.and_then(|local| local.rsplit(':').next()?.parse().ok());
        let Some(port) = port else {
            continue;
        };
        let between = |from: &str, to: char| line.split_once(from)?.1.split(to).next();
        let pid = between("pid=", ',').unwrap_or_default();
        let listener = Listener {
            port,
            process: between("((\"", '"').map(str::to_owned),
            directory: places.get(pid).cloned(),
            command: commands.get(pid).cloned(),
        };
        if !found.contains(&listener) {
            found.push(listener);
        }
    }
    found
}

/// Working directories and command lines by process: `'/proc/1/cwd' -> '/'`, and a line for each argument.
fn known(text: &str) -> (BTreeMap<&str, String>, BTreeMap<&str, String>) {
    let (mut places, mut commands) = (BTreeMap::new(), BTreeMap::<&str, String>::new());
    for line in text.lines() {
        let line = line.trim_start_matches('\'');
        let Some((pid, rest)) = line.strip_prefix("/proc/").and_then(|l| l.split_once('/')) else {
            continue;
        };
        if let Some((_, place)) = rest.split_once(" -> ") {
            places.insert(pid, place.trim_matches('\'').to_owned());
        } else if let Some(argument) = rest.strip_prefix("cmdline:") {
            let command = commands.entry(pid).or_default();
            if !command.is_empty() {
                command.push(' ');
            }
            command.push_str(argument);
        }
    }
    (places, commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_known_by_its_process() {
        let listeners = "LISTEN 0 4096 0.0.0.0:5433 0.0.0.0:* users:((\"haproxy\",pid=9,fd=1))\n\
                         LISTEN 0 4096 [::]:5432 [::]:* users:((\"postgres\",pid=71,fd=7))\nLISTEN 0 64 *:2049 *:*\n";
        let processes = "'/proc/9/cwd' -> '/'\n'/proc/71/cwd' -> '/var/lib/postgresql/17/main'\n\
                         /proc/9/cmdline:/usr/sbin/haproxy\n/proc/9/cmdline:-f\n/proc/9/cmdline:/etc/haproxy/haproxy.cfg\n\
                         /proc/71/cmdline:postgres: main \n";
        let found = read(listeners, processes);
        let command = found[0].command.as_deref();
        assert_eq!(
            command,
            Some("/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg")
        );
        assert_eq!(found[1].port, 5432);
        let place = found[1].directory.as_deref();
        assert_eq!(place, Some("/var/lib/postgresql/17/main"));
        assert_eq!((found[2].port, found[2].process.as_deref()), (2049, None));
    }
}
