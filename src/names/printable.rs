//! Text that others wrote, made harmless for those who read it. Pure; who prints is `ui`.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character steers a terminal or deceives its reader instead of showing itself: controls of C0 and C1,
/// delete, marks that turn the direction of writing, other ends of lines, and what takes no room.
/// Newline and tab are such, too: [`printable`] leaves them alone, [`one_line`] does not.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            | '\u{2028}' | '\u{2029}'
            | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every character that [`steers`] spelt out (`\x1b`, `\u{202e}`), but newlines and tabs.
pub fn printable(text: &str) -> Cow<'_, str> {
    spelt(text, |c| steers(c) && !matches!(c, '\n' | '\t'))
}

/// The same on one line: newlines and tabs are spelt out as well.
pub fn one_line(text: &str) -> Cow<'_, str> {
    spelt(text, steers)
}

fn spelt(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&bad) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !bad(c) => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if u32::from(c) < 0x100 => {
                let _ = write!(shown, "\\x{:02x}", u32::from(c));
            }
            c => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(shown)
}

/// JSON with every character that [`steers`] as its escape. In what a serializer wrote they stand in strings alone,
/// so the value stays the same.
pub fn json(text: &str) -> Cow<'_, str> {
    let bad = |c: char| steers(c) && !matches!(c, '\n' | '\t');
    if !text.chars().any(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match bad(c) {
            false => safe.push(c),
            true => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(safe, "\\u{unit:04x}");
                }
            }
        }
    }
    Cow::Owned(safe)
}

/// The same text with each character that [`steers`] replaced by harmless ones of as many bytes, so that places in it
/// stay where they are. Ends of lines and tabs stay.
pub fn in_place(text: &str) -> Cow<'_, str> {
    let bad = |c: char| steers(c) && !matches!(c, '\n' | '\r' | '\t');
    let lone = text.replace("\r\n", "").contains('\r');
    if !lone && !text.chars().any(bad) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() != Some(&'\n') => shown.push('?'),
            c if !bad(c) => shown.push(c),
            c => shown.push_str(match c.len_utf8() {
                1 => "?",
                2 => "\u{bf}",
                3 => "\u{fffd}",
                _ => "\u{fffd}?",
            }),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\x1b[2J\x07\x08\r\x7f\u{9b}31m\u{202e}\u{2028}\u{200b}\u{e0041}ü\n\tz";

    #[test]
    fn what_steers_is_spelt_out() {
        assert_eq!(
            printable(HOSTILE),
            "a\\x1b[2J\\x07\\x08\\r\\x7f\\x9b31m\\u{202e}\\u{2028}\\u{200b}\\u{e0041}ü\n\tz"
        );
        assert!(one_line(HOSTILE).ends_with("ü\\n\\tz"));
        assert_eq!(printable("plain ü 漢 🐘\n"), "plain ü 漢 🐘\n");
    }

    #[test]
    fn json_keeps_its_value() {
        let written = serde_json::to_string(&[HOSTILE]).unwrap();
        assert!(written.chars().any(steers), "the serializer leaves some");
        let safe = json(&written);
        assert!(!safe.chars().any(steers), "{safe}");
        assert_eq!(
            serde_json::from_str::<[String; 1]>(&safe).unwrap(),
            [HOSTILE]
        );
    }

    #[test]
    fn places_stay() {
        let shown = in_place(HOSTILE);
        assert_eq!(shown.len(), HOSTILE.len());
        assert_eq!(shown.find('ü'), HOSTILE.find('ü'));
        assert!(
            !shown
                .chars()
                .any(|c| steers(c) && !matches!(c, '\n' | '\t')),
            "{shown:?}"
        );
        assert_eq!(in_place("a: 1\r\nb: 2\r\n"), "a: 1\r\nb: 2\r\n");
    }
}
