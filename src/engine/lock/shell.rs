//! What hosts run for locks, as shell text: the holder, the guard before each program of a run, the look at who holds what.
//!
//! A lock is `flock` on a file. To take it one must have it alone for a moment; then it is shared between the holder and all
//! programs of the run, so that whatever is left of a run still holds it. Beside it stands whose it is, which changes only under
//! the lock had alone: by that a program of an older run finds out that it must not begin.

use crate::command::{Frame, quote};

/// Where locks are, on a host.
pub(super) const DIR: &str = "/run/citusctl";
/// The lock of the host itself, below [`DIR`].
pub(super) const HOST_LOCK: &str = "lock";
/// Without a sign of life for so many seconds a holder lets go.
pub const SILENCE: u64 = 30;

/// Functions that tell who has a lock. Descriptor 9 is always a lock's.
fn functions(frame: &Frame) -> String {
    format!(
        r#"{mark}
inherits() {{ # PID ANCESTOR
  p=$1
  while [ "${{p:-0}}" -gt 1 ]; do
    [ "$p" != "$2" ] || return 0
    p=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$p/status" 2>/dev/null)
  done
  return 1
}}
told() {{ # FILE: whose it is, the age of its last sign of life, the programs that have it beside its holder
  cat "$1.run" 2>/dev/null
  beat=$(cat "$1.beat" 2>/dev/null)
  [ -z "$beat" ] || echo "silent=$(($(cut -d. -f1 /proc/uptime) - beat))"
  holder=$(sed -n 's/^pid=//p' "$1.run" 2>/dev/null) self=$(sed -n 's/^Pid:[^0-9]*//p' /proc/self/status)
  for fd in /proc/[0-9]*/fd/9; do
    [ "$fd" -ef "$1" ] || continue
    pid=${{fd#/proc/}} pid=${{pid%%/*}}
    # Whoever only asks for the lock has the file open as well.
    grep -q FLOCK "/proc/$pid/fdinfo/9" 2>/dev/null || continue
    ! inherits "$pid" $$ || continue
    if [ -n "$holder" ] && inherits "$pid" "$holder"; then echo "held=$pid"; continue; fi
    echo "program=$pid $(tr '\0\n' '  ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c1-120)"
  done
}}
"#,
        mark = frame.define_mark()
    )
}

/// The program that takes locks and holds them for as long as it hears a sign of life. Its input stays open.
pub(super) fn holder(frame: &Frame, dir: &str, files: &[String], who: &str) -> String {
    let quoted: Vec<String> = files.iter().map(|file| quote(file)).collect();
    format!(
        r#"{functions}command -v flock >/dev/null || {{ echo 'missing=flock'; mark busy {HOST_LOCK}; exit 0; }}
mkdir -p {dir} && cd {dir} || exit 1
run={run}
ours() {{ grep -qxF -- "run=$run" "$1.run"; }}
busy() {{ told "$1"; mark busy "$1"; exit 0; }}
take() {{
  exec 9>>"$1"
  flock -x -n 9 || busy "$1"
  printf '%s\n' {who} "since=$(date -u +%Y-%m-%dT%H:%M:%SZ)" "pid=$$" >"$1.run.new" && mv -f "$1.run.new" "$1.run" || exit 1
  flock -s -n 9 && ours "$1" || busy "$1"
}}
hold() {{ if [ $# = 0 ]; then serve; else take "$1"; shift; ( hold "$@" ); fi; }}
serve() {{
  mark held
  while :; do
    for file in {files}; do cut -d. -f1 /proc/uptime >"$file.beat"; done
    mark beat || exit 0
    heard=$(exec 9>&-; timeout {SILENCE} head -c 1); rc=$?
    [ -n "$heard" ] || break
  done
  case $rc in 124) why='no sign of life for {SILENCE} s' ;; *) why='its connection has ended' ;; esac
  for file in {files}; do ! ours "$file" || echo "ended=$why" >>"$file.run"; done
}}
hold {files}
exit 0
"#,
        functions = functions(frame),
        dir = quote(dir),
        run = quote(run_of(who)),
        who = who.lines().map(quote).collect::<Vec<_>>().join(" "),
        files = quoted.join(" "),
    )
}

/// The run's name in the lines of who holds a lock.
fn run_of(who: &str) -> &str {
    let mut lines = who.lines();
    lines
        .find_map(|line| line.strip_prefix("run="))
        .unwrap_or_default()
}

/// The head of every program that acts: it holds the lock of the host together with the holder, and `ours` says whether the lock
/// is still that of its run. One that comes too late says so and ends.
pub(super) fn guard(dir: &str, run: &str) -> String {
    format!(
        r#"LOCK={lock} LOCK_RUN={run}
ours() {{
  mine=
  while read -r line; do
    case $line in "run=$LOCK_RUN") mine=yes ;; ended=*) mine=; break ;; esac
  done <"$LOCK.run" 2>/dev/null
  [ -n "$mine" ] || {{ echo "the lock of this run ($LOCK_RUN) on this host has ended: nothing further is begun"; return 1; }}
}}
[ -d {dir} ] && exec 9>>"$LOCK" && flock -s -n 9 || {{ echo 'the lock of this host is not to be had: another run has it'; exit 0; }}
"#,
        lock = quote(&format!("{dir}/{HOST_LOCK}")),
        dir = quote(dir),
        run = quote(run),
    )
}

/// A look at all locks of a host; it takes none.
pub(super) fn look(frame: &Frame, dir: &str) -> String {
    format!(
        r#"{functions}cd {dir} 2>/dev/null || {{ mark done; exit 0; }}
for file in lock lock.*; do
  case $file in *.run|*.beat|*.new|'lock.*') continue ;; esac
  [ -e "$file" ] || continue
  mark lock "$file"
  told "$file"
done
mark done
"#,
        functions = functions(frame),
        dir = quote(dir),
    )
}

/// Ends the processes that have a lock, if it is still that of this run: its holder, and with `programs` those of the run.
pub(super) fn take_away(frame: &Frame, dir: &str, file: &str, run: &str, programs: bool) -> String {
    let which = if programs { "held|program" } else { "held" };
    format!(
        r#"{functions}cd {dir} || exit 1
ours() {{ grep -qxF -- run={run} {file}.run 2>/dev/null; }}
ours || {{ echo 'it is no longer the lock of that run'; exit 1; }}
having() {{ told {file} | sed -nE 's/^({which})=([0-9]+).*/\2/p'; }}
pids=$(having)
[ -z "$pids" ] || kill -TERM $pids 2>/dev/null
i=0
while [ $i -lt 30 ] && [ -n "$(having)" ]; do sleep 0.1; i=$((i + 1)); done
pids=$(having)
[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
i=0
while [ $i -lt 30 ] && [ -n "$(having)" ]; do sleep 0.1; i=$((i + 1)); done
exec 9>>{file}
flock -x -n 9 || {{ told {file}; echo 'it is still held'; exit 1; }}
! ours || echo 'ended=taken away by unlock' >>{file}.run
mark freed
"#,
        functions = functions(frame),
        dir = quote(dir),
        run = quote(run),
        file = quote(file),
    )
}
