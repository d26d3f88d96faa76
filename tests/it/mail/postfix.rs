//! The same against the Postfix of Debian, and through a link that breaks.
//!
//! Duty: what a mail server that people run makes of our messages, fault by fault: how many copies reach the mailbox.
//! Not its duty: what the scripted server shows as well, stage by stage.
//!
//! It has a configuration, a queue and a mailbox of its own and listens on loopback. Its master gives up rights as it
//! starts, so it needs root; without, or without Postfix, these tests are skipped with a word, and fail where
//! `STARLEDGER_REQUIRE_TOOLS` is set.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use starledger::delivery::Composed;
use starledger::delivery::message::Cause;
use starledger::delivery::outbox::{DeliveryState, RecipientState};
use starledger::edges::mail::{MailMode, MailSettings, SmtpRoute};

use super::{message, passes};

const SERVICES: &str = "pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

/// Whether Postfix can run here; says so where it cannot.
fn is_here() -> bool {
    let is_root = fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0);
    let asked = Command::new("postconf").args(["-d", "mail_version"]).output();
    if is_root && asked.is_ok_and(|o| o.status.success()) {
        return true;
    }
    assert!(
        std::env::var_os("STARLEDGER_REQUIRE_TOOLS").is_none(),
        "Postfix cannot be started, and STARLEDGER_REQUIRE_TOOLS is set"
    );
    // past the capture of the test runner, so that it is seen
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: Postfix is not installed (Debian: apt-get install postfix), or this is not root; \
         mail is not tried against it"
    );
    false
}

/// A Postfix of its own for one test.
struct Postfix {
    folder: tempfile::TempDir,
    port: u16,
}

impl Postfix {
    /// `more` are lines of its main.cf; `cert.pem` in its folder is a certificate for `localhost` of `ca.pem`.
    fn start(more: &str) -> Postfix {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_path_buf();
        fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["conf", "queue", "data", "mail"] {
            fs::create_dir(base.join(name)).unwrap();
        }
        let own = |name: &str, user: &str| {
            let status = Command::new("chown").arg(user).arg(base.join(name)).status().unwrap();
            assert!(status.success());
        };
        own("data", "postfix");
        own("mail", "nobody");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base_name = base.display();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {base_name}/queue\ndata_directory = {base_name}/data\n\
             mail_owner = postfix\nsetgid_group = postdrop\nmaillog_file = {base_name}/log\n\
             maillog_file_prefixes = {base_name}\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             myhostname = mx.test.example\nmydestination =\nlocal_recipient_maps =\nalias_maps =\n\
             virtual_mailbox_domains = one.example, two.example\nvirtual_mailbox_base = {base_name}/mail\n\
             virtual_mailbox_maps = static:inbox/\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n\
             virtual_minimum_uid = 1\nsmtpd_recipient_restrictions = reject_unauth_destination,\n  \
             check_recipient_access inline:{{{{gone@one.example = 550 5.1.1 not here}},\n  \
             {{later@one.example = 450 4.2.1 mailbox busy}}}}\n{more}\n"
        );
        fs::write(base.join("conf/main.cf"), main).unwrap();
        fs::write(
            base.join("conf/master.cf"),
            format!("{port} inet n - n - - smtpd\n{SERVICES}"),
        )
        .unwrap();
        let output = Command::new("postfix")
            .arg("-c")
            .arg(base.join("conf"))
            .arg("start")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let server = Postfix { folder, port };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "Postfix does not answer: {}",
                server.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn route(&self, port: u16, more: &str) -> SmtpRoute {
        let tls = if more.contains("tls =") { "" } else { "tls = \"none\"\n" };
        let text = format!(
            "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"localhost\"\nport = {port}\n\
             hello_name = \"client.example\"\ntimeout_seconds = 3\n{tls}{more}"
        );
        let settings = MailSettings::read("mail.toml", &text).unwrap();
        let MailMode::Smtp(smtp) = settings.mode else {
            panic!("smtp")
        };
        SmtpRoute::open(&smtp, self.folder.path(), &|name| Some(format!("{name}-canary"))).unwrap()
    }

    /// What is in the mailbox once the queue is empty: for whom, and the message as we sent it.
    fn mailbox(&self) -> Vec<(String, String)> {
        let begin = Instant::now();
        loop {
            let queued = ["incoming", "active", "deferred", "maildrop"]
                .iter()
                .map(|q| count_files(&self.folder.path().join("queue").join(q)))
                .sum::<usize>();
            if queued == 0 {
                break;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "the queue stays full: {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
        let folder = self.folder.path().join("mail/inbox/new");
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            let to = text
                .lines()
                .find_map(|l| l.strip_prefix("X-Original-To: "))
                .unwrap()
                .to_owned();
            // what the server put before it ends with its own header
            let at = text
                .find("\nMessage-ID:")
                .map_or(0, |_| text.find("\nFrom: ").unwrap() + 1);
            found.push((to, text[at..].to_owned()));
        }
        found.sort();
        found
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Command::new("postfix")
            .arg("-c")
            .arg(self.folder.path().join("conf"))
            .arg("stop")
            .output();
    }
}

fn count_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|e| if e.path().is_dir() { count_files(&e.path()) } else { 1 })
        .sum()
}

/// What a link does to its first connection; later ones are whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Breaks when the message has begun.
    InMessage,
    /// Lets the final dot through and the answer not.
    AfterDot,
    /// Lets the final dot through and then nothing, without closing.
    SilentAfterDot,
    /// Closes before the greeting.
    Greeting,
}

/// A link to a port that breaks once as told; its own port.
fn link(to: u16, cut: Cut) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (i, client) in listener.incoming().enumerate() {
            let Ok(client) = client else { return };
            let cut = (i == 0).then_some(cut);
            if cut == Some(Cut::Greeting) {
                continue;
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else {
                return;
            };
            carry(&client, &server, cut);
        }
    });
    port
}

/// Carries bytes both ways, each on a thread of its own.
fn carry(client: &TcpStream, server: &TcpStream, cut: Option<Cut>) {
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let is_dead = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let dead = is_dead.clone();
    thread::spawn(move || {
        let mut seen: Vec<u8> = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from_client.read(&mut buffer) {
            seen.extend_from_slice(&buffer[..n]);
            let in_message = seen
                .windows(6)
                .position(|w| w == b"DATA\r\n")
                .is_some_and(|at| seen.len() > at + 6);
            let whole = in_message && seen.ends_with(b"\r\n.\r\n");
            match cut {
                Some(Cut::InMessage) if in_message => break,
                Some(Cut::AfterDot | Cut::SilentAfterDot) if whole => {
                    dead.store(true, std::sync::atomic::Ordering::SeqCst);
                    let _ = to_server.write_all(&buffer[..n]);
                    // the server has it now, whatever becomes of its answer
                    thread::sleep(Duration::from_millis(500));
                    if cut == Some(Cut::SilentAfterDot) {
                        thread::sleep(Duration::from_secs(8));
                    }
                    break;
                }
                _ => {
                    let _ = to_server.write_all(&buffer[..n]);
                }
            }
        }
        let _ = from_client.shutdown(Shutdown::Both);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from_server.read(&mut buffer) {
            if is_dead.load(std::sync::atomic::Ordering::SeqCst) {
                continue;
            }
            let _ = to_client.write_all(&buffer[..n]);
        }
        if !is_dead.load(std::sync::atomic::Ordering::SeqCst) {
            let _ = to_client.shutdown(Shutdown::Both);
        }
    });
}

/// State, attempts, unknown outcomes, copies by recipient.
fn sent(server: &Postfix, route: &SmtpRoute, to: &[&str]) -> (DeliveryState, u32, u32, BTreeMap<String, usize>) {
    let message = message(1, to);
    let (records, reports) = passes(route, std::slice::from_ref(&message));
    let mut copies = BTreeMap::new();
    for (to, text) in server.mailbox() {
        assert_same(&text, &message);
        *copies.entry(to).or_default() += 1;
    }
    let record = &records[0];
    let texts = format!("{record:?} {reports:?}");
    assert!(!texts.contains("one.example") && !texts.contains("canary"), "{texts}");
    (record.state, record.attempts, record.unknown_outcomes, copies)
}

/// The copy is the message, line for line: the server changes line ends and nothing else.
fn assert_same(copy: &str, message: &Composed) {
    let ours = String::from_utf8(message.bytes.clone()).unwrap().replace("\r\n", "\n");
    let at = ours.find("From: ").unwrap();
    assert_eq!(copy, &ours[at..]);
}

fn copies(of: &[(&str, usize)]) -> BTreeMap<String, usize> {
    of.iter().map(|(to, n)| ((*to).to_owned(), *n)).collect()
}

#[test]
fn a_mailbox_gets_one_copy_whatever_happens_on_the_way() {
    use DeliveryState::{Failed, Sent};
    if !is_here() {
        return;
    }
    let server = Postfix::start("");
    let plain = server.route(server.port, "");
    assert_eq!(
        sent(&server, &plain, &["a@one.example", "b@two.example"]),
        (Sent, 1, 0, copies(&[("a@one.example", 1), ("b@two.example", 1)]))
    );
    // refused for good, refused for now until given up, one of each beside one that is served
    let server = Postfix::start("");
    let plain = server.route(server.port, "");
    assert_eq!(
        sent(&server, &plain, &["gone@one.example"]),
        (Failed, 1, 0, copies(&[]))
    );
    assert_eq!(
        sent(&server, &plain, &["later@one.example"]),
        (Failed, 4, 0, copies(&[]))
    );
    assert_eq!(
        sent(&server, &plain, &["x@elsewhere.example"]),
        (Failed, 1, 0, copies(&[]))
    );
    let three = ["a@one.example", "gone@one.example", "later@one.example"];
    assert_eq!(
        sent(&server, &plain, &three),
        (Sent, 4, 0, copies(&[("a@one.example", 1)]))
    );
    let (records, _) = passes(&plain, &[message(2, &three)]);
    assert_eq!(records[0].recipients[1], RecipientState::Refused(550));

    for (cut, attempts, copies_of_a) in [
        (Cut::Greeting, 2, 1),
        (Cut::InMessage, 2, 1),
        (Cut::AfterDot, 2, 2),
        (Cut::SilentAfterDot, 2, 2),
    ] {
        let server = Postfix::start("");
        let broken = server.route(link(server.port, cut), "");
        let (state, tried, unknown, found) = sent(&server, &broken, &["a@one.example"]);
        assert_eq!(
            (state, tried, found),
            (Sent, attempts, copies(&[("a@one.example", copies_of_a)])),
            "{cut:?}"
        );
        // a short message may be out before the break is seen: then it is counted though nothing came of it
        let least = u32::from(matches!(cut, Cut::AfterDot | Cut::SilentAfterDot));
        let most = u32::from(cut != Cut::Greeting);
        assert!((least..=most).contains(&unknown), "{cut:?}: {unknown}");
    }
}

#[test]
fn size_certificate_and_encryption_with_postfix() {
    use DeliveryState::{Failed, Retry, Sent};
    if !is_here() {
        return;
    }
    let small = Postfix::start("message_size_limit = 500");
    let route = small.route(small.port, "");
    assert_eq!(sent(&small, &route, &["a@one.example"]), (Failed, 1, 0, copies(&[])));

    let certified = Postfix::start("");
    let folder = certified.folder.path();
    let program = folder.join("smtp_server.py");
    fs::write(&program, super::server::PROGRAM).unwrap();
    let script = "import sys, ssl, pathlib\nsys.path.insert(0, sys.argv[1])\nimport smtp_server\n\
                  smtp_server.certify(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pathlib.Path(sys.argv[1]), 'localhost')\n";
    crate::support::python::script(script, &[folder.to_str().unwrap()]);
    let chain = folder.join("server.pem").display().to_string();
    let conf = folder.join("conf/main.cf");
    let text = fs::read_to_string(&conf).unwrap();
    fs::write(
        &conf,
        format!("{text}smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {chain}\nsmtpd_tls_key_file = {chain}\n"),
    )
    .unwrap();
    let reload = Command::new("postfix")
        .arg("-c")
        .arg(folder.join("conf"))
        .arg("reload")
        .output()
        .unwrap();
    assert!(reload.status.success(), "{}", String::from_utf8_lossy(&reload.stderr));
    thread::sleep(Duration::from_secs(1));
    let stopped = |more: &str, cause: Cause, word: &str| {
        let (records, reports) = passes(
            &certified.route(certified.port, more),
            &[message(1, &["a@one.example"])],
        );
        assert_eq!(
            (records[0].state, records[0].refusals),
            (Retry, 0),
            "{more}: {records:?}"
        );
        let why = reports[0].stopped.clone().unwrap();
        assert!(
            why.starts_with(cause.as_str()) && why.contains(word) && !why.contains("canary"),
            "{more}: {why}"
        );
    };
    // its authority is not among the known ones; it has no authentication; the plain one has no STARTTLS
    stopped("tls = \"required\"\n", Cause::Tls, "certificate");
    stopped(
        "tls = \"required\"\nca_file = \"ca.pem\"\nusername_env = \"USER\"\npassword_env = \"SECRET\"\n",
        Cause::Authentication,
        "mechanism",
    );
    let (records, _) = passes(
        &small.route(small.port, "tls = \"required\"\n"),
        &[message(1, &["a@one.example"])],
    );
    assert_eq!((records[0].state, records[0].refusals), (Retry, 0));
    let route = certified.route(certified.port, "tls = \"required\"\nca_file = \"ca.pem\"\n");
    assert_eq!(
        sent(&certified, &route, &["a@one.example"]),
        (Sent, 1, 0, copies(&[("a@one.example", 1)]))
    );
}
