//! Shell functions that steps share, and the text of a whole file written atomically.

use crate::command::quote;
use base64::Engine;

/// Functions at the head of every program of steps. `keep PATH` saves what is about to be replaced under the
/// run's own directory; nothing is deleted. `forget ID` takes a resource out of all stamps: whoever has read it may have read
/// something else.
pub fn prelude(run: &str) -> String {
    format!(
        r#"RUN={}
KEPT=/var/lib/citusctl/replaced/$RUN
keep() {{
  [ -e "$1" ] || [ -L "$1" ] || return 0
  (umask 077; mkdir -p "$KEPT${{1%/*}}") && cp -a -- "$1" "$KEPT$1"
}}
own() {{
  mkdir -p /etc/citusctl
  for line in "$@"; do
    grep -qxF -- "$line" /etc/citusctl/manifest 2>/dev/null || printf '%s\n' "$line" >>/etc/citusctl/manifest
  done
}}
forget() {{
  for stamp in $(grep -lF -- " $1 " /etc/citusctl/stamps/* 2>/dev/null); do
    {{ grep -vF -- " $1 " "$stamp" || [ $? = 1 ]; }} >"$stamp.new"
    mv -fT -- "$stamp.new" "$stamp"
  done
}}
disown() {{
  {{ grep -vxF -- "$1" /etc/citusctl/manifest || [ $? = 1 ]; }} >/etc/citusctl/manifest.new
  mv -fT -- /etc/citusctl/manifest.new /etc/citusctl/manifest
}}
move_aside() {{
  [ -e "$1" ] || [ -L "$1" ] || return 0
  (umask 077; mkdir -p "$KEPT${{1%/*}}") && mv -T -- "$1" "$KEPT$1"
}}
"#,
        quote(run)
    )
}

/// How a file is to be written.
pub(super) struct Write<'a> {
    pub path: &'a str,
    pub content: &'a [u8],
    pub mode: &'a str,
    pub owner: &'a str,
    pub group: &'a str,
    /// A command that must accept the new file, `%s` standing for it.
    pub validate: Option<&'a str>,
    /// Whether a replaced version is kept.
    pub keep: bool,
}

/// Shell text: temporary file beside the target, mode and owner before content, validator, rename.
pub(super) fn write_file(write: &Write<'_>) -> String {
    let path = quote(write.path);
    let directory = write
        .path
        .rsplit_once('/')
        .map_or("/", |(dir, _)| if dir.is_empty() { "/" } else { dir });
    let name = write.path.rsplit('/').next().unwrap_or_default();
    // The suffix stays, because programs such as HAProxy look at it.
    let suffix = name
        .rsplit_once('.')
        .map(|(_, suffix)| format!(".{suffix}"))
        .unwrap_or_default();
    let template = quote(&format!("{directory}/.citusctl-XXXXXXXX"));
    let encoded = wrap(&base64::engine::general_purpose::STANDARD.encode(write.content));
    let validate = write
        .validate
        .map(|v| format!("{}\n", v.replace("%s", "\"$tmp\"")))
        .unwrap_or_default();
    let keep = if write.keep {
        format!("keep {path}\n")
    } else {
        String::new()
    };
    format!(
        "[ -d {} ] || mkdir -p -- {}\ntmp=$(mktemp --suffix={} {template})\ntrap 'rm -f -- \"$tmp\"' EXIT\nchmod 0600 \"$tmp\"\n\
         chown {}:{} \"$tmp\"\nchmod {} \"$tmp\"\nbase64 -d >\"$tmp\" <<'CITUSCTL_END'\n{encoded}CITUSCTL_END\n\
         {validate}{keep}sync -- \"$tmp\"\nmv -fT -- \"$tmp\" {path}\n",
        quote(directory),
        quote(directory),
        quote(&suffix),
        quote(write.owner),
        quote(write.group),
        quote(write.mode),
    )
}

fn wrap(encoded: &str) -> String {
    let mut text = String::with_capacity(encoded.len() + encoded.len() / 76 + 1);
    for chunk in encoded.as_bytes().chunks(76) {
        text.push_str(&String::from_utf8_lossy(chunk));
        text.push('\n');
    }
    text
}
