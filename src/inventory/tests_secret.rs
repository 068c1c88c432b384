//! Encrypted and looked-up values: who opens them, what is shown of them, what is refused.

use super::parameters::secrets_in;
use super::tests::{places, write};
use super::*;
use crate::secret::Secret;

/// Made by ansible-vault with the password `correct horse`.
const SEALED: &str = "$ANSIBLE_VAULT;1.1;AES256 \
    39306562323734643331643830626166393230346236366634613866643331636333363330386165 \
    6438613365633265313962333336316237373739393539620a613337343634346635306436346666 \
    33373164316462393066323230323332363431653461613835623266663038666634383335396265 \
    3036663361616332340a303763323932376165616338383533666330663930613263363266393666 \
    62626530333065313664306338393630313636313431353734636234643239653935";

/// The same: a whole file with `vault_pw: Wh0le.File`, `names: [alpha-one]`, `pg_version: 17` and `pg_conf: oltp.yml`.
const FILE: &str = "$ANSIBLE_VAULT;1.1;AES256\n\
    36353839643965643230383135343366333036393965346465633836386238396266353736666432\n\
    3638636139653263646263623565633836666233323465650a626638633839626262653832373263\n\
    30666434356336323930333237666439616562323363316262643830373336333133633466316235\n\
    3034616361323966380a323962613431616431653061396434646562323864366666636361346266\n\
    37336339373265313738643430346465353563643162616136663033356562653138663565333235\n\
    38306339663630646566303831626463336233363333373738326465353839613932393637663933\n\
    36363034346534313839333835613265656531616332653630323363346334393135626637303035\n\
    30313937656662656362\n";

fn keys(words: &[&str]) -> Keys {
    Keys::new(words.iter().map(|word| Secret::new(*word)).collect(), None)
}

fn inline() -> String {
    format!(
        "all: {{hosts: {{h: }}, vars: {{pg_admin_password: !vault \"{SEALED}\", mine: \"x-{{{{ pg_admin_password }}}}\"}}}}\n"
    )
}

fn read(files: &[(&str, &str)], words: &[&str]) -> Result<Inventory, Vec<String>> {
    let dir = write(files);
    match load_with(&dir.path().join("i.yml"), &[], keys(words)) {
        Ok(loaded) => Ok(loaded.inventory),
        Err(LoadError::Invalid {
            sources,
            diagnostics,
            ..
        }) => Err(places(&sources, &diagnostics)),
        Err(error) => panic!("{error}"),
    }
}

fn shown(inv: &Inventory) -> String {
    host_json(inv, &HostName::from("h"))
        .expect("a host")
        .to_string()
}

fn text<'i>(inv: &'i Inventory, name: &str) -> &'i str {
    inv.var("h", name)
        .and_then(|var| var.node.as_str())
        .expect("a text")
}

#[test]
fn encrypted_values_are_opened_and_not_shown() {
    let inv = read(&[("i.yml", &inline())], &["wrong", "correct horse"]).expect("opened");
    assert_eq!(text(&inv, "pg_admin_password"), "S3cret: \"#%$ \\ ü");
    assert_eq!(text(&inv, "mine"), "x-S3cret: \"#%$ \\ ü");
    assert!(!shown(&inv).contains("S3cret"), "{}", shown(&inv));
    let mine = inv.var("h", "mine").expect("there");
    assert_eq!(secrets_in("mine", &mine.node).len(), 1);
}

#[test]
fn without_the_right_password_the_place_is_named() {
    let files = [("i.yml", inline())];
    let files = [(files[0].0, files[0].1.as_str())];
    for words in [&[][..], &["wrong"][..]] {
        assert_eq!(
            read(&files, words).err(),
            Some(vec!["vault-password 1:54".to_owned()])
        );
    }
    let damaged = [("i.yml", "all: {hosts: {h: {x: !vault abc}}}\n")];
    assert_eq!(
        read(&damaged, &["a"]).err(),
        Some(vec!["vault-format 1:29".to_owned()])
    );
    assert_eq!(
        read(&[("i.yml", FILE)], &[]).err(),
        Some(vec!["vault-password 1:1".to_owned()])
    );
}

#[test]
fn encrypted_files_are_opened_and_only_known_parameters_shown() {
    let files = [
        (
            "i.yml",
            "all: {hosts: {h: }, vars: {pg_dbsu_password: '{{ vault_pw }}'}}\n",
        ),
        ("group_vars/all.yml", FILE),
    ];
    let inv = read(&files, &["correct horse"]).expect("opened");
    assert_eq!(text(&inv, "pg_dbsu_password"), "Wh0le.File");
    let shown = shown(&inv);
    assert!(
        !shown.contains("Wh0le") && !shown.contains("alpha-one"),
        "{shown}"
    );
    assert!(
        shown.contains("oltp.yml") && shown.contains("17"),
        "{shown}"
    );
}

#[test]
fn a_person_is_asked_once_for_each_id() {
    let dir = write(&[("i.yml", &inline())]);
    let ask: Asked = Box::new(|id| {
        assert_eq!(id, None);
        Some(Secret::new("correct horse"))
    });
    let loaded = load_with(
        &dir.path().join("i.yml"),
        &[],
        Keys::new(Vec::new(), Some(ask)),
    );
    assert!(loaded.is_ok());
}

#[test]
fn looks_up_files_and_the_environment() {
    let text_of = "all: {hosts: {h: }, vars: {pg_admin_password: \"{{ lookup('file', 'secret/pw') }}\", home: '{{ lookup(\"env\", \"HOME\") }}', \
                   ansible_user: \"{{ lookup('ansible.builtin.env', 'HOME') }}\"}}\n";
    let inv = read(&[("i.yml", text_of), ("secret/pw", "from-file\n\n")], &[]).expect("read");
    let home = std::env::var("HOME").expect("set");
    assert_eq!(text(&inv, "pg_admin_password"), "from-file");
    assert_eq!(text(&inv, "home"), home);
    let shown = host_json(&inv, &HostName::from("h")).expect("a host");
    assert_eq!(shown["pg_admin_password"], crate::secret::MASK);
    assert_eq!(shown["home"], crate::secret::MASK);
    assert_eq!(shown["ansible_user"], home);
}

#[test]
fn what_cannot_be_looked_up_is_named_once() {
    let text = "all:\n  hosts: {h: , h2: }\n  vars:\n    a: \"{{ lookup('env', 'CITUSCTL_NOT_SET') }}\"\n    b: [\"{{ lookup('file', 'absent') }}\"]\n";
    let want = ["lookup-env 4:8", "lookup-file 5:9"];
    assert_eq!(
        read(&[("i.yml", text)], &[]).err(),
        Some(want.map(str::to_owned).to_vec())
    );
    let replaced =
        "all: {vars: {a: \"{{ lookup('env', 'CITUSCTL_NOT_SET') }}\"}, hosts: {h: {a: 1}}}\n";
    assert!(read(&[("i.yml", replaced)], &[]).is_ok());
}
