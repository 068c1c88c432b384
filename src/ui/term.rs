//! The one way to a terminal. Whatever is printed goes through here, and every character that steers a terminal is
//! spelt out, whoever wrote it: a host, an inventory, a database.
//!
//! Our own styles are no exception to be recognized by what they look like, because a host could write the same:
//! a [`Style`] puts a mark around its sequence that only this process knows, and nothing else becomes a sequence.
//! `ci/forbid` counts that nobody prints past this module.

use crate::names::printable::{one_line, printable};
use anstyle::AnsiColor;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

/// How a piece of text looks: `{style}text{style:#}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style(anstyle::Style);

/// What went wrong.
pub const BAD: Style = Style::of(AnsiColor::Red).bold();
/// What is as it should be.
pub const GOOD: Style = Style::of(AnsiColor::Green);
/// What deserves a look.
pub const ODD: Style = Style::of(AnsiColor::Yellow);

impl Style {
    /// As the terminal writes by itself.
    pub const fn new() -> Self {
        Self(anstyle::Style::new())
    }

    /// In a colour.
    pub const fn of(color: AnsiColor) -> Self {
        Self(color.on_default())
    }

    /// Also bold.
    #[must_use]
    pub const fn bold(self) -> Self {
        Self(self.0.bold())
    }

    /// Also dimmed.
    #[must_use]
    pub const fn dimmed(self) -> Self {
        Self(self.0.dimmed())
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = match f.alternate() {
            true => format!("{:#}", self.0),
            false => self.0.to_string(),
        };
        f.write_str(&marked(&sequence))
    }
}

/// Characters for private use: the marks, and the bytes of a sequence between them.
const BYTES: u32 = 0x10_0000;
const END: char = '\u{100100}';

/// What begins a mark: drawn once for each process, so that no other text holds it.
fn secret() -> &'static str {
    static SECRET: OnceLock<String> = OnceLock::new();
    SECRET.get_or_init(|| {
        use ring::rand::{SecureRandom, SystemRandom};
        let mut bytes = [0_u8; 12];
        // Without randomness no style is shown: a mark that could be guessed would be worse.
        if SystemRandom::new().fill(&mut bytes).is_err() {
            return String::new();
        }
        let private = bytes.map(|byte| char::from_u32(0xF_0000 + u32::from(byte)));
        private.into_iter().flatten().collect()
    })
}

fn marked(sequence: &str) -> String {
    if sequence.is_empty() || secret().is_empty() {
        return String::new();
    }
    let bytes = sequence.bytes();
    let bytes = bytes.filter_map(|byte| char::from_u32(BYTES + u32::from(byte)));
    secret().chars().chain(bytes).chain([END]).collect()
}

/// Takes over a text with sequences in it that a library of ours has drawn from harmless pieces.
pub(super) fn adopt(drawn: &str) -> String {
    let mut text = String::with_capacity(drawn.len());
    let mut rest = drawn;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        text.push_str(before);
        match after.split_once('m') {
            Some((code, after)) if code.bytes().all(|b| b.is_ascii_digit() || b == b';') => {
                text.push_str(&marked(&format!("\x1b[{code}m")));
                rest = after;
            }
            Some(_) | None => {
                text.push_str("\x1b[");
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

/// What a terminal may get: our styles as sequences, everything else spelt out where it steers.
pub fn shown(text: &str) -> String {
    drawn(text, |text| printable(text).into_owned())
}

/// The same on one line.
pub fn line(text: &str) -> String {
    drawn(text, |text| one_line(text).into_owned())
}

/// The text without styles, and harmless.
pub fn plain(text: &str) -> String {
    let text = drawn(text, |text| printable(text).into_owned());
    anstream::adapter::strip_str(&text).to_string()
}

fn drawn(text: &str, safe: impl Fn(&str) -> String) -> String {
    if secret().is_empty() {
        return safe(text);
    }
    let mut pieces = text.split(secret());
    let mut shown = safe(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (code, rest) = piece.split_once(END).unwrap_or(("", piece));
        let byte = |c: char| u8::try_from(u32::from(c).wrapping_sub(BYTES)).ok();
        shown.extend(code.chars().filter_map(byte).map(char::from));
        shown.push_str(&safe(rest));
    }
    shown
}

/// Prints to standard output, as people read it.
///
/// # Errors
/// Of the stream.
pub fn out(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(shown(text).as_bytes())?;
    out.flush()
}

/// Prints what is data: byte for byte into a pipe or a file, harmless on a terminal.
///
/// # Errors
/// Of the stream.
pub fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.is_terminal() {
        true => out.write_all(printable(text).as_bytes())?,
        false => out.write_all(text.as_bytes())?,
    }
    out.flush()
}

/// Prints what was asked for raw.
///
/// # Errors
/// Of the stream.
pub fn raw(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line to standard error. A reader that went away is nobody's failure.
pub fn say(text: &str) {
    let mut out = anstream::stderr().lock();
    let _ = writeln!(out, "{}", shown(text));
}

/// Where lines for people go; what is written to it is harmless already.
pub fn stderr() -> impl Write + Send {
    anstream::stderr()
}

/// The same for a result.
pub fn stdout() -> impl Write + Send {
    anstream::stdout()
}

/// Standard output for lines of JSON, in which nothing steers.
pub fn pipe() -> impl Write + Send {
    io::stdout()
}

/// Whether colours are shown on standard error.
pub fn is_coloured() -> bool {
    anstream::stderr().current_choice() != anstream::ColorChoice::Never
}

/// Whether standard output is a terminal.
pub fn is_drawn() -> bool {
    io::stdout().is_terminal()
}

/// Empties the screen.
///
/// # Errors
/// Of the stream.
pub fn clear() -> io::Result<()> {
    raw("\x1b[2J")
}

/// Draws a picture over the one before: home, each line to its end, then the rest of the screen, so nothing flickers.
///
/// # Errors
/// Of the stream.
pub fn redraw(text: &str) -> io::Result<()> {
    let text = shown(text).replace('\n', "\x1b[K\n");
    let mut out = anstream::stdout().lock();
    write!(out, "\x1b[H{text}\x1b[J")?;
    out.flush()
}

/// Whether there is a terminal to ask at.
pub fn can_ask() -> bool {
    console::Term::stderr().is_term() && console::user_attended_stderr()
}

/// Asks for a line.
///
/// # Errors
/// Of the terminal.
pub fn ask(question: &str) -> io::Result<String> {
    let term = console::Term::stderr();
    term.write_str(&plain(question))?;
    term.read_line()
}

/// Asks for what is not to be seen.
///
/// # Errors
/// Of the terminal.
pub fn ask_hidden(question: &str) -> io::Result<String> {
    let term = console::Term::stderr();
    term.write_str(&plain(question))?;
    term.read_secure_line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_styles_are_shown_and_nobody_elses() {
        let text = format!("{BAD}bad{BAD:#} \x1b[31mnot ours\x1b[0m");
        assert_eq!(
            shown(&text),
            "\x1b[1m\x1b[31mbad\x1b[0m \\x1b[31mnot ours\\x1b[0m"
        );
        assert_eq!(plain(&text), "bad \\x1b[31mnot ours\\x1b[0m");
    }

    #[test]
    fn a_mark_that_is_torn_becomes_no_sequence() {
        let mark = GOOD.to_string();
        let torn: String = mark.chars().take(mark.chars().count() - 1).collect();
        assert!(!shown(&format!("{torn}x\x1b[1m")).contains('\x1b'));
        let other = mark.replacen(mark.chars().next().unwrap_or(' '), "\u{f0fff}", 1);
        assert!(!shown(&other).contains('\x1b'));
    }

    #[test]
    fn what_a_library_drew_is_taken_over() {
        assert_eq!(
            shown(&adopt("a\x1b[1;31mb\x1b[0m\x1b[2Jc")),
            "a\x1b[1;31mb\x1b[0m\\x1b[2Jc"
        );
    }
}
