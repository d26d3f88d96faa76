//! A real SMTP server (aiosmtpd) for one test.
//!
//! Duty: start it with a script, reach it, and read what it saw. Not its duty: judging that.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use starledger::edges::mail::{MailMode, MailSettings, SmtpRoute};

pub const PROGRAM: &str = include_str!("../support/smtp_server.py");

/// A server of its own for one test; it ends when its standard input closes.
pub struct Server {
    pub folder: tempfile::TempDir,
    child: Child,
    input: Option<ChildStdin>,
    pub port: u64,
}

/// A copy that the server took over.
#[derive(Debug)]
pub struct Copy {
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

impl Server {
    pub fn start(options: Value) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("smtp_server.py");
        fs::write(&program, PROGRAM).unwrap();
        let mut options = options;
        options["folder"] = json!(folder.path().to_str().unwrap());
        let mut child = Command::new(crate::support::python())
            .arg(&program)
            .args(["serve", &options.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("stderr.txt")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let hello: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!(
                "no server: {}",
                fs::read_to_string(folder.path().join("stderr.txt")).unwrap()
            )
        });
        let input = child.stdin.take();
        Server {
            folder,
            child,
            input,
            port: hello["port"].as_u64().unwrap(),
        }
    }

    pub fn script(script: &[&str]) -> Server {
        Server::start(json!({ "script": script }))
    }

    /// The route to this server: loopback without TLS, and whatever `more` says instead.
    pub fn route(&self, more: &str) -> SmtpRoute {
        let tls = if more.contains("tls =") { "" } else { "tls = \"none\"\n" };
        let text = format!(
            "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"localhost\"\nport = {}\n\
             hello_name = \"client.example\"\n{tls}{more}",
            self.port
        );
        let timeout = if more.contains("timeout_seconds") {
            ""
        } else {
            "\ntimeout_seconds = 5\n"
        };
        let settings = MailSettings::read("mail.toml", &format!("{text}{timeout}")).unwrap();
        let MailMode::Smtp(smtp) = settings.mode else {
            panic!("smtp")
        };
        let environment = |name: &str| match name {
            "T_USER" => Some("user".to_owned()),
            "T_SECRET" => Some("secret".to_owned()),
            "T_WRONG" => Some("wrong-canary".to_owned()),
            _ => None,
        };
        SmtpRoute::open(&smtp, self.folder.path(), &environment).unwrap()
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.folder.path().join(name)).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    pub fn copies(&self) -> Vec<Copy> {
        let copy = |v: &Value| Copy {
            to: v["to"]
                .as_array()
                .unwrap()
                .iter()
                .map(|a| a.as_str().unwrap().to_owned())
                .collect(),
            bytes: decode_base64(v["bytes"].as_str().unwrap()),
        };
        self.lines("taken.jsonl").iter().map(copy).collect()
    }

    /// How often it has begun to hang.
    pub fn hung(&self) -> usize {
        self.lines("hung.jsonl").len()
    }

    /// Commands as `MAIL`, or `MAIL!` where they came in clear.
    pub fn commands(&self) -> Vec<String> {
        let name = |v: &Value| {
            format!(
                "{}{}",
                v["command"].as_str().unwrap(),
                if v["encrypted"] == true { "" } else { "!" }
            )
        };
        self.lines("commands.jsonl").iter().map(name).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // one that sleeps in a script does not see its input close
        std::thread::sleep(Duration::from_millis(20));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn decode_base64(text: &str) -> Vec<u8> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'=').map(digit).collect();
    let bytes = |four: &[u8]| {
        let bits = four.iter().fold(0u32, |bits, d| bits << 6 | u32::from(*d)) << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(bytes).collect()
}
