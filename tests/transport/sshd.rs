//! A real sshd on a port of its own, for as long as a test runs.
//!
//! Run as root it lives in a mount namespace of its own, with its own users and sudo rules, so that nothing of
//! the machine changes. Run as another user it knows only that user.

use citusctl::names::HostName;
use citusctl::transport::{Endpoint, Resolver};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const PASSWORD: &str = "correct horse";
const HASH: &str = "$6$citusctl$BMHts5KZ2dyH106uJzQ9ixkvuKNpdmR/JDUaAP7IzsklPRGWAnp1t1WZcVSwKXaVMbQHDkTDJLNn9dNcNHry0.";

const PASSWD: &str = "root:x:0:0::/root:/bin/sh
sshd:x:54320:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
free:x:54321:54321::HOME:/bin/sh
asks:x:54322:54322::HOME:/bin/bash
none:x:54323:54323::HOME:/bin/sh
nosh:x:54324:54324::HOME:/usr/sbin/nologin
";
const SUDOERS: &str = "root ALL=(ALL:ALL) ALL\nfree ALL=(ALL) NOPASSWD: ALL\nasks ALL=(ALL) ALL\n";
const ISOLATE: &str = r#"
set -e
mount --make-rprivate /
for f in passwd group shadow sudoers; do mount --bind "$1/etc/$f" "/etc/$f"; done
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
exec /usr/sbin/sshd -D -e -f "$1/sshd_config"
"#;

pub(crate) struct Sshd {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) port: u16,
    child: Child,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().expect("sshd can be killed");
        self.child.wait().expect("sshd can be waited for");
    }
}

/// A test that cannot be made says so past the harness, which shows nothing of a test that passes; where everything has
/// to be there (`CITUSCTL_TESTS=all`, as `ci/test` says) it fails.
fn missing<T>(why: &str) -> Option<T> {
    use std::io::Write;
    let all = std::env::var_os("CITUSCTL_TESTS").is_some_and(|which| which == "all");
    assert!(!all, "this test cannot be skipped: {why}");
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "skipped {name}: {why}").expect("standard error");
    None
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

pub(crate) fn user() -> String {
    if is_root() {
        "root".into()
    } else {
        std::env::var("USER").unwrap_or_default()
    }
}

pub(crate) fn keygen(path: &Path, more: &[&str]) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .args(more)
        .stdin(Stdio::null())
        .status()
        .expect("ssh-keygen runs");
    assert!(status.success());
}

impl Sshd {
    /// Starts one, or says why it cannot.
    pub(crate) fn start() -> Option<Self> {
        Self::with("")
    }

    pub(crate) fn with(extra: &str) -> Option<Self> {
        if !Path::new("/usr/sbin/sshd").exists() {
            return missing("there is no /usr/sbin/sshd (install openssh-server)");
        }
        let dir = tempfile::tempdir().expect("a directory");
        let port = free_port();
        write_files(dir.path(), port, extra);
        let child = spawn(dir.path());
        let mut sshd = Self { dir, port, child };
        sshd.wait();
        Some(sshd)
    }

    /// One with users of its own and sudo.
    pub(crate) fn with_users() -> Option<Self> {
        if !is_root() || !Path::new("/usr/bin/sudo").exists() {
            return missing("needs root (for a mount namespace) and sudo");
        }
        Self::start()
    }

    fn wait(&mut self) {
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Some(status) = self.child.try_wait().expect("a status") {
                let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
                panic!("sshd ended with {status}: {log}");
            }
            assert!(Instant::now() < end, "sshd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The public host key without its comment.
    pub(crate) fn host_key(&self) -> String {
        let text = std::fs::read_to_string(self.path("host_ed25519.pub")).expect("a key");
        text.split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub(crate) fn know(&self, text: &str) {
        std::fs::write(self.path("known_hosts"), text).expect("known_hosts is written");
    }

    /// Records the host's key as it should be.
    pub(crate) fn know_right(&self) {
        self.know(&format!("[127.0.0.1]:{} {}\n", self.port, self.host_key()));
    }

    /// A resolver that knows nothing of this machine's user.
    pub(crate) fn resolver(&self) -> Resolver {
        Resolver::default()
            .with_config("/dev/null")
            .with_home(self.dir.path())
            .with_known_hosts(self.path("known_hosts"))
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        let mut endpoint = Endpoint::new(HostName::new("db-1"), "127.0.0.1");
        endpoint.port = Some(self.port);
        endpoint.user = Some(user());
        endpoint.keys = vec![self.path("user_ed25519")];
        endpoint.sudo = None;
        endpoint
    }

    pub(crate) fn endpoint_as(&self, user: &str) -> Endpoint {
        let mut endpoint = self.endpoint();
        endpoint.user = Some(user.into());
        endpoint.sudo = Some(citusctl::transport::Sudo::default());
        endpoint
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn write_files(dir: &Path, port: u16, extra: &str) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode(dir, 0o755);
    keygen(&dir.join("host_ed25519"), &["-t", "ed25519"]);
    keygen(&dir.join("user_ed25519"), &["-t", "ed25519"]);
    let own = dir.display();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {own}/host_ed25519\nPidFile none\nUsePAM no\n\
         StrictModes no\nPermitRootLogin yes\nAuthorizedKeysFile {own}/authorized_keys\n\
         MaxStartups 100\nUseDNS no\n{extra}\n"
    );
    let etc = dir.join("etc");
    std::fs::create_dir(&etc).expect("a directory");
    let group = "root:x:0:\nnogroup:x:65534:\ntty:x:5:\nshadow:x:42:\n";
    let shadow: String = PASSWD
        .lines()
        .filter_map(|line| line.split(':').next())
        .map(|name| format!("{name}:{HASH}:19000:0:99999:7:::\n"))
        .collect();
    let home = dir.join("home");
    std::fs::create_dir(&home).expect("a directory");
    std::fs::write(
        home.join(".bashrc"),
        "echo noise; printf 'more noise'; echo noise >&2\n",
    )
    .expect("a file");
    let passwd = PASSWD.replace("HOME", &home.display().to_string());
    let files = [
        ("passwd", &*passwd),
        ("group", group),
        ("shadow", &shadow),
        ("sudoers", SUDOERS),
    ];
    for (name, text) in files {
        std::fs::write(etc.join(name), text).expect("a file");
    }
    mode(&etc.join("shadow"), 0o600);
    mode(&etc.join("sudoers"), 0o440);
    std::fs::copy(dir.join("user_ed25519.pub"), dir.join("authorized_keys")).expect("a copy");
    mode(&dir.join("authorized_keys"), 0o644);
    std::fs::write(dir.join("sshd_config"), config).expect("a configuration");
}

fn spawn(dir: &Path) -> Child {
    let mut command = if is_root() {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", ISOLATE, "sh"])
            .arg(dir);
        command
    } else {
        let mut command = Command::new("/usr/sbin/sshd");
        command
            .args(["-D", "-e", "-f"])
            .arg(dir.join("sshd_config"));
        command
    };
    let log = std::fs::File::create(dir.join("log")).expect("a log");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("sshd starts")
}
