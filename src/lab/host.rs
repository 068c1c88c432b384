//! One machine: its files, its boot, its end.

use super::cgroup;
use super::control::OUTSIDE;
use super::dirs::{make_private, remove};
use super::error::{At, LabError};
use super::fault;
use super::process::Pid;
use super::record::Record;
use super::tool;
use crate::command::quote;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Seconds until sshd must answer.
const BOOT: u64 = 90;

/// Writes what is the host's own: keys, names.
pub(super) fn prepare(record: &Record, index: usize) -> Result<(), LabError> {
    let host = &record.spec.hosts[index];
    let dir = record.host_dir(&host.name);
    let upper = dir.join("upper");
    for sub in ["upper", "work", "root"] {
        let path = dir.join(sub);
        std::fs::create_dir_all(&path).at(&path)?;
    }
    std::fs::set_permissions(&upper, std::fs::Permissions::from_mode(0o755)).at(&upper)?;
    let public = record.dir.join("ssh/id_ed25519.pub");
    let public = std::fs::read_to_string(&public).at(&public)?;
    authorize(&upper.join("root"), &public)?;
    authorize(&upper.join("home/dba"), &public)?;
    let key = upper.join("etc/ssh/ssh_host_ed25519_key");
    std::fs::create_dir_all(upper.join("etc/ssh")).at(&upper)?;
    tool::ssh_key(&key, &host.hostname)?;
    write(&upper.join("etc/hostname"), &format!("{}\n", host.hostname))?;
    write(
        &upper.join("etc/hosts"),
        &format!(
            "127.0.0.1 localhost\n::1 localhost\n{} {}\n",
            host.address, host.hostname
        ),
    )
}

const KEY: [&str; 2] = ["ssh_host_ed25519_key", "ssh_host_ed25519_key.pub"];

/// An empty disk that keeps the host's key.
pub(super) fn renew(record: &Record, index: usize) -> Result<(), LabError> {
    let dir = record.host_dir(&record.spec.hosts[index].name);
    let (ssh, kept) = (dir.join("upper/etc/ssh"), dir.join("kept"));
    make_private(&kept)?;
    for file in KEY {
        std::fs::rename(ssh.join(file), kept.join(file)).at(&ssh)?;
    }
    remove(&dir.join("upper"))?;
    remove(&dir.join("work"))?;
    std::fs::create_dir_all(&ssh).at(&ssh)?;
    for file in KEY {
        std::fs::rename(kept.join(file), ssh.join(file)).at(&ssh)?;
    }
    remove(&kept)?;
    prepare(record, index)
}

fn write(path: &Path, text: &str) -> Result<(), LabError> {
    std::fs::write(path, text).at(path)
}

fn authorize(home: &Path, public: &str) -> Result<(), LabError> {
    let ssh = home.join(".ssh");
    make_private(&ssh)?;
    std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o700)).at(home)?;
    write(&ssh.join("authorized_keys"), public)
}

/// The line of `known_hosts` for a host.
pub(super) fn known_host(record: &Record, index: usize) -> Result<String, LabError> {
    let host = &record.spec.hosts[index];
    let path = record
        .host_dir(&host.name)
        .join("upper/etc/ssh/ssh_host_ed25519_key.pub");
    let text = std::fs::read_to_string(&path).at(&path)?;
    let key: Vec<&str> = text.split_whitespace().take(2).collect();
    Ok(format!("{} {}\n", host.address, key.join(" ")))
}

/// Starts the machine in a process group and a mount namespace of its own.
pub(super) fn boot(record: &Record, index: usize) -> Result<Pid, LabError> {
    let host = &record.spec.hosts[index];
    let dir = record.host_dir(&host.name);
    let console = dir.join("console.log");
    let out = File::options()
        .create(true)
        .append(true)
        .open(&console)
        .at(&console)?;
    let mut command = outside();
    command
        .args([
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "bash",
            "-c",
        ])
        .arg(script(record, index));
    command
        .stdin(Stdio::null())
        .stdout(out.try_clone().at(&console)?)
        .stderr(out)
        .process_group(0);
    let spawn = |source| LabError::Spawn {
        command: format!("booting {}", host.name),
        source,
    };
    let child = command.spawn().map_err(spawn)?;
    Pid::of(child.id()).ok_or_else(|| died(record, index))
}

/// A program in this computer's own namespaces, also when we run inside a lab's: a machine cannot boot where `/sys` is
/// that of another network.
pub fn outside() -> Command {
    let mut command = tool::command("nsenter");
    if let Ok(pid) = std::env::var(OUTSIDE) {
        // Whoever started us may be gone; the first process of the machine is not.
        let alive = Path::new("/proc").join(&pid).exists();
        let pid = if alive { pid } else { "1".to_owned() };
        command.arg(format!("--mount=/proc/{pid}/ns/mnt"));
        command.arg(format!("--net=/proc/{pid}/ns/net"));
    }
    command.arg("--");
    command
}

fn script(record: &Record, index: usize) -> String {
    let host = &record.spec.hosts[index];
    let dir = record.host_dir(&host.name);
    let below = |name: &str| dir.join(name).display().to_string();
    let layers: Vec<String> = record
        .layers
        .iter()
        .map(|layer| layer.display().to_string())
        .collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        layers.join(":"),
        below("upper"),
        below("work")
    );
    let root = quote(&below("root"));
    // The account's number is the image's, so its home is handed over from inside.
    format!(
        "set -e\n{}mount -t overlay overlay -o {} {root}\nchroot {root} chown -R dba:dba /home/dba\nmkdir -p {root}/srv/citusctl/debs\n\
         exec systemd-nspawn --quiet --directory={root} --machine={} --boot --register=no --keep-unit \
         --network-namespace-path=/run/netns/{} --capability=all --kill-signal=SIGRTMIN+3 --bind-ro={}:/srv/citusctl/debs\n",
        cgroup::enter(record, index),
        quote(&options),
        quote(&format!("{}-{}", record.spec.name, host.hostname)),
        record.host_ns(index),
        quote(&record.debs.display().to_string()),
    )
}

/// Waits until sshd answers, seen from the control namespace; a host that is cut off is seen from its own.
pub(super) fn wait(record: &Record, index: usize, pid: Pid) -> Result<Duration, LabError> {
    let started = std::time::Instant::now();
    let host = &record.spec.hosts[index];
    let seen_from = match fault::is_cut(record, index)? {
        true => record.host_ns(index),
        false => record.control_ns(),
    };
    let probe = format!(
        "exec 3<>/dev/tcp/{}/22 && read -r -t 2 line <&3 && [ -n \"$line\" ]",
        host.address
    );
    loop {
        let args = [
            "netns", "exec", &seen_from, "timeout", "3", "bash", "-c", &probe,
        ];
        if tool::run("ip", &args).is_ok() {
            return Ok(started.elapsed());
        }
        if !pid.alive() {
            return Err(died(record, index));
        }
        if started.elapsed().as_secs() > BOOT {
            return Err(LabError::NoSshd {
                host: host.name.to_string(),
                seconds: BOOT,
                console: console(record, index),
            });
        }
        std::thread::sleep(Duration::from_millis(150));
    }
}

fn died(record: &Record, index: usize) -> LabError {
    LabError::Died {
        host: record.spec.hosts[index].name.to_string(),
        console: console(record, index),
    }
}

fn console(record: &Record, index: usize) -> String {
    let path = record
        .host_dir(&record.spec.hosts[index].name)
        .join("console.log");
    let text = std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let tail: Vec<&str> = text.lines().rev().take(12).collect();
    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
}
