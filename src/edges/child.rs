//! A process of our own that reads what could break the one that reads it.
//!
//! Duty: start the program itself with one command and no environment, bound its memory and time, tell why it ended,
//! leave none behind. Not its duty: what it reads and writes.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};

/// Where this program is, also when its file was replaced since it started.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Bytes of what the process says of its own death that are looked at.
const MAX_LAST_WORDS: u64 = 4096;

/// Time that a process has to go away after its last word.
const GRACE: Duration = Duration::from_secs(10);

/// What the process may take; the memory is set by the process itself and stands here for the message.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub memory_bytes: u64,
    /// Time that the reader waits for the process, all in all; its own work does not count.
    pub wait: Duration,
}

/// What the process writes. An error of reading tells why it ended: `OutOfMemory`, `TimedOut`, or another. Dropping it
/// ends the process.
#[derive(Debug)]
pub struct Output {
    child: Child,
    pipe: ChildStdout,
    limits: Limits,
    waited: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    Running,
    Done,
    Died(Death),
}

type Death = (ErrorKind, String);

/// Starts this program with arguments and the path of a file behind them.
pub fn open(arguments: &[String], file: &Path, limits: Limits) -> io::Result<Output> {
    let mut command = Command::new(THIS_PROGRAM);
    command.args(arguments).arg(file);
    start(command, limits)
}

fn start(mut command: Command, limits: Limits) -> io::Result<Output> {
    let mut child = command
        .env_clear()
        // memory is limited by address space: none of it is taken in advance
        .env("MIMALLOC_ARENA_RESERVE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let pipe = child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
    Ok(Output {
        child,
        pipe,
        limits,
        waited: Duration::ZERO,
        state: State::Running,
    })
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let State::Running = self.state {
            if !self.is_ready()? {
                self.end(Some(self.out_of_time()));
            } else {
                let read = self.pipe.read(buffer)?;
                if read > 0 {
                    return Ok(read);
                }
                let death = self.death();
                self.end(death);
            }
        }
        match &self.state {
            State::Died((kind, why)) => Err(io::Error::new(*kind, why.clone())),
            State::Running | State::Done => Ok(0),
        }
    }
}

impl Output {
    /// Waits until something can be read; `false` when that takes too long.
    fn is_ready(&mut self) -> io::Result<bool> {
        loop {
            let left = self.limits.wait.saturating_sub(self.waited);
            if left.is_zero() {
                return Ok(false);
            }
            let timeout = Timespec::try_from(left).ok();
            let begun = Instant::now();
            let polled = poll(&mut [PollFd::new(&self.pipe, PollFlags::IN)], timeout.as_ref());
            self.waited += begun.elapsed();
            match polled {
                Ok(0) => {}
                Ok(_) => return Ok(true),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn end(&mut self, death: Option<Death>) {
        self.stop();
        self.state = death.map_or(State::Done, State::Died);
    }

    /// Ends the process, if it has not ended, and takes its remains away.
    fn stop(&mut self) {
        // it may be gone already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Why the process closed its output; `None` when all is well.
    fn death(&mut self) -> Option<Death> {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if begun.elapsed() < GRACE => std::thread::sleep(Duration::from_millis(1)),
                Ok(None) => return Some(self.out_of_time()),
                Err(error) => return Some((ErrorKind::Other, error.to_string())),
            }
        };
        if status.success() {
            return None;
        }
        let mut words = Vec::new();
        if let Some(errors) = self.child.stderr.take() {
            // it has ended, so that this does not wait
            let _ = errors.take(MAX_LAST_WORDS).read_to_end(&mut words);
        }
        Some(self.reason(status, &String::from_utf8_lossy(&words)))
    }

    fn reason(&self, status: ExitStatus, words: &str) -> Death {
        let memory = self.limits.memory_bytes >> 20;
        let killed_by = |signal: Signal| status.signal() == Some(signal.as_raw());
        if words.contains("memory allocation") {
            return (
                ErrorKind::OutOfMemory,
                format!("it needs more than {memory} MiB of memory"),
            );
        }
        if killed_by(Signal::XCPU) {
            return self.out_of_time();
        }
        if killed_by(Signal::KILL) {
            let why = "the system ended it, as it does when memory runs out";
            return (ErrorKind::OutOfMemory, why.to_owned());
        }
        let why = match (status.signal(), status.code()) {
            (Some(signal), _) => format!("it was ended by signal {signal}"),
            (_, Some(code)) => format!("it ended with code {code}"),
            _ => "it ended".to_owned(),
        };
        (ErrorKind::Other, why)
    }

    fn out_of_time(&self) -> Death {
        let seconds = self.limits.wait.as_secs();
        (ErrorKind::TimedOut, format!("it needs more than {seconds} seconds"))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let State::Running = self.state {
            self.stop();
        }
    }
}

/// Bounds the process that calls it, for good: memory beyond what it has now, processor time, no core, no other
/// process, no file written.
pub fn confine(memory_bytes: u64, cpu_seconds: u64) -> io::Result<()> {
    let held = held_bytes()?;
    for (resource, most) in [
        (Resource::As, held.saturating_add(memory_bytes)),
        (Resource::Cpu, cpu_seconds),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 16),
        (Resource::Nproc, 0),
    ] {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// Address space of this process: the program itself is most of it.
fn held_bytes() -> io::Result<u64> {
    let status = fs::read_to_string(OsStr::new("/proc/self/status"))?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = size.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        memory_bytes: 768 << 20,
        wait: Duration::from_secs(20),
    };

    fn shell(script: &str, limits: Limits) -> Output {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        start(command, limits).expect("a shell")
    }

    /// What was read, and why it ended.
    fn told(script: &str, limits: Limits) -> (String, Option<(ErrorKind, String)>) {
        let mut text = Vec::new();
        let mut output = shell(script, limits);
        let end = output.read_to_end(&mut text).err();
        // it stays ended
        assert_eq!(output.read(&mut [0]).is_err(), end.is_some());
        (
            String::from_utf8(text).expect("text"),
            end.map(|error| (error.kind(), error.to_string())),
        )
    }

    #[test]
    fn what_it_writes_is_read_and_its_death_is_told() {
        assert_eq!(told("printf abc", LIMITS), ("abc".into(), None));
        let (text, death) = told("printf abc; exit 3", LIMITS);
        assert_eq!(
            (text.as_str(), death.unwrap().1.as_str()),
            ("abc", "it ended with code 3")
        );
        let death = told("kill -SEGV $$", LIMITS).1.unwrap();
        assert_eq!(death, (ErrorKind::Other, "it was ended by signal 11".into()));
        let death = told("echo memory allocation of 9 bytes failed >&2; kill -ABRT $$", LIMITS).1;
        assert_eq!(
            death.unwrap(),
            (ErrorKind::OutOfMemory, "it needs more than 768 MiB of memory".into())
        );
        assert_eq!(told("kill -KILL $$", LIMITS).1.unwrap().0, ErrorKind::OutOfMemory);
        assert_eq!(told("kill -XCPU $$", LIMITS).1.unwrap().0, ErrorKind::TimedOut);
    }

    #[test]
    fn one_that_hangs_is_ended() {
        let limits = Limits {
            wait: Duration::from_millis(200),
            ..LIMITS
        };
        let begun = Instant::now();
        let (text, death) = told("printf abc; exec sleep 100", limits);
        assert_eq!((text.as_str(), death.unwrap().0), ("abc", ErrorKind::TimedOut));
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn one_that_nobody_reads_is_ended_and_leaves_nothing() {
        let output = shell("exec sleep 100", LIMITS);
        let process = format!("/proc/{}", output.child.id());
        assert!(Path::new(&process).exists());
        drop(output);
        assert!(!Path::new(&process).exists());
    }

    #[test]
    fn it_has_no_environment_and_no_input() {
        let (text, _) = told("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=; cat", LIMITS);
        // but what the allocator is told
        assert_eq!(text, "MIMALLOC_ARENA_RESERVE=0\n");
    }
}
