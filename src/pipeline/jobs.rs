//! Jobs: `pipelines/<job>.toml`.
//!
//! Duty: what a job does, when it is due, what it is given as the present. Not its duty: doing it.

use serde::Deserialize;

use super::schedule::{CatchUp, Schedule};
use crate::domain::{Finding, Findings, Instant, Place, Zone};

/// What a job does, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// From new files to a new release: one act.
    Refresh,
    /// Mails that wait in the outbox.
    Deliver,
}

/// What data that is not in order does to the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// The run ends with exit code 3; what could be done is published all the same.
    #[default]
    Fail,
    /// It stands in the summary only.
    Report,
}

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    /// File name without `.toml`.
    pub name: String,
    pub title: String,
    pub steps: Vec<Step>,
    /// A fixed present, for samples and tests; without it the due slot or the clock.
    pub as_of: Option<Instant>,
    /// Of a file that was set aside.
    pub on_set_aside: Alarm,
    /// Of a source that is silent.
    pub on_silent: Alarm,
    pub schedule: Option<Schedule>,
    /// Attempts in all when a run fails for storage or for being locked out.
    pub attempts: u32,
    pub pause_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobFile {
    title: String,
    steps: Vec<Step>,
    as_of: Option<String>,
    #[serde(default)]
    on_set_aside: Alarm,
    #[serde(default)]
    on_silent: Alarm,
    schedule: Option<ScheduleFile>,
    retry: Option<RetryFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFile {
    cron: String,
    time_zone: String,
    catch_up: String,
    max_age_hours: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryFile {
    attempts: u32,
    pause_seconds: u64,
}

impl Job {
    /// Reads a job file; `file` is its path for messages.
    pub fn read(file: &str, text: &str) -> Result<Job, Findings> {
        let parsed: JobFile = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() as u64 + 1);
            vec![Finding::error(
                Place::line(file, line),
                "job.syntax",
                e.message().to_owned(),
                "a job has title, steps, and may have as_of, on_set_aside, on_silent, [schedule] and [retry]; see docs/operations.md",
            )]
        })?;
        let mut findings = Vec::new();
        let line_of = |key: &str| {
            text.lines()
                .position(|l| l.trim_start().starts_with(key))
                .map_or(1, |i| i as u64 + 1)
        };
        let mut find = |key: &str, message: String, remedy: &str| {
            findings.push(Finding::error(
                Place::line(file, line_of(key)),
                "job.value",
                message,
                remedy,
            ));
        };
        if parsed.steps.is_empty() {
            find(
                "steps",
                "a job without steps does nothing".to_owned(),
                "write steps = [\"refresh\", \"deliver\"]",
            );
        }
        let as_of = parsed
            .as_of
            .as_deref()
            .map(Instant::parse)
            .transpose()
            .unwrap_or_else(|e| {
                find("as_of", format!("as_of {e}"), "write as_of = \"2026-10-12T06:00:00Z\"");
                None
            });
        let schedule = parsed.schedule.and_then(|s| {
            let catch_up = match s.catch_up.as_str() {
                "all" => Some(CatchUp::All),
                "latest" => Some(CatchUp::Latest),
                "none" => Some(CatchUp::None),
                other => {
                    find(
                        "catch_up",
                        format!("catch_up = \"{other}\" is none of all, latest, none"),
                        "choose one",
                    );
                    None
                }
            };
            let zone = Zone::parse(&s.time_zone)
                .map_err(|e| find("time_zone", e.to_string(), "use an IANA name such as Europe/Berlin"))
                .ok();
            Schedule::new(
                &s.cron,
                zone.unwrap_or(Zone::UTC),
                catch_up.unwrap_or(CatchUp::None),
                s.max_age_hours,
            )
            .map_err(|e| find("cron", e, "write five fields such as \"0 6 * * *\""))
            .ok()
        });
        let retry = parsed.retry.unwrap_or(RetryFile {
            attempts: 1,
            pause_seconds: 0,
        });
        if retry.attempts == 0 {
            find(
                "attempts",
                "a job needs at least one attempt".to_owned(),
                "write attempts = 1",
            );
        }
        let name = file
            .rsplit('/')
            .next()
            .unwrap_or(file)
            .trim_end_matches(".toml")
            .to_owned();
        if findings.is_empty() {
            Ok(Job {
                name,
                title: parsed.title,
                steps: parsed.steps,
                as_of,
                on_set_aside: parsed.on_set_aside,
                on_silent: parsed.on_silent,
                schedule,
                attempts: retry.attempts,
                pause_seconds: retry.pause_seconds,
            })
        } else {
            Err(findings)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_findings_at_once_with_their_lines() {
        let text = "title = \"x\"\nsteps = []\nas_of = \"yesterday\"\n[schedule]\ncron = \"* *\"\ntime_zone = \"Mars/Base\"\ncatch_up = \"some\"\nmax_age_hours = 1\n";
        let findings = Job::read("pipelines/x.toml", text).unwrap_err();
        let lines: Vec<u64> = findings.iter().filter_map(|f| f.place.line).collect();
        assert_eq!(lines, [2, 3, 7, 6, 5]);
        let unknown = Job::read("pipelines/x.toml", "title = \"x\"\nstep = []\n").unwrap_err();
        assert_eq!(unknown[0].place.line, Some(2));
    }
}
