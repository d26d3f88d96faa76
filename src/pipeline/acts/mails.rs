//! Mails for those who decide: approve, hold, send once more, take an address off the list of suppressed ones.
//!
//! Duty: whether a decision may follow on what stands of a message, the decision as a delivery, and what decisions so
//! far come to. Must not: send; whoever sends reads the decisions, those on their way included.

use super::deliver::{Decided, deliver, deliver_all, instant};
use super::known::acts;
use super::{Act, Delivered, Person};
use crate::domain::{Digest, Zone};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::pipeline::outbox::{Entry, State};
use crate::store::layout::Layout;
use crate::store::release::Release;

const KIND: &str = "mail";
const APPROVED: &str = "approved";
const HELD: &str = "held";
const RESENT: &str = "resent";
const LIFTED: &str = "lifted";
/// Before the hash of the address that a message goes to instead of its first recipients.
const RESENT_TO: &str = "resent to sha256:";
/// Before the hash of an address, as the subject of a decision.
const ADDRESS: &str = "address:";

/// Decisions on mails, in the order of time.
pub(in crate::pipeline) fn known(layout: &Layout, release: &Release) -> Result<Vec<Act>, PipelineError> {
    acts(layout, release, &[KIND])
}

/// What the decisions on one message come to: the last of approval and hold counts.
#[derive(Clone, Copy, Debug)]
pub(in crate::pipeline) struct Verdict<'a> {
    pub approved: bool,
    pub held: Option<&'a Act>,
}

/// `content` is the hash of the bytes: an approval counts for what was approved, and for nothing else.
pub(in crate::pipeline) fn verdict(acts: &[Act], content: Option<Digest>) -> Verdict<'_> {
    let last = acts.iter().rev().find(|act| match act.outcome.as_str() {
        APPROVED => act.subject_hash.is_some() && act.subject_hash == content,
        HELD => true,
        _ => false,
    });
    Verdict {
        approved: last.is_some_and(|act| act.outcome == APPROVED),
        held: last.filter(|act| act.outcome == HELD),
    }
}

/// Where a decision sends a message once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Resent {
    /// To those of its recipients that its envelope names.
    Same,
    /// To the address of this hash.
    To(Digest),
}

/// Where a decision sends a message once more, if it does.
pub(in crate::pipeline) fn resent(act: &Act) -> Option<Resent> {
    if act.outcome == RESENT {
        return Some(Resent::Same);
    }
    Digest::parse(act.outcome.strip_prefix(RESENT_TO)?).map(Resent::To)
}

/// Whether a decision holds a message.
pub(in crate::pipeline) fn is_hold(act: &Act) -> bool {
    act.outcome == HELD
}

/// Key in the log of a message that goes once more: its own, and the decision's.
pub(in crate::pipeline) fn again_key(key: &str, act: &Act) -> String {
    let decision = act.decision_id.rsplit('-').next().unwrap_or_default();
    format!("{key}.again-{}", decision.to_ascii_lowercase())
}

/// The address whose suppression a decision lifts.
pub(in crate::pipeline) fn lifted(act: &Act) -> Option<Digest> {
    let is_lifted = act.outcome == LIFTED;
    Digest::parse(act.subject.strip_prefix(ADDRESS)?).filter(|_| is_lifted)
}

/// What a person says of messages that have not left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Say {
    Approve,
    Hold,
}

/// Whether it may be said of a message now.
pub fn may_say(say: Say, entry: &Entry) -> Result<(), String> {
    let key = &entry.key;
    match (say, entry.state) {
        (Say::Approve, State::AwaitingApproval) => Ok(()),
        (Say::Approve, State::Held) if verdict(&entry.acts, entry.content).held.is_some() => Ok(()),
        (Say::Approve, State::Held) => Err(format!(
            "{key} was held back when it was made: {}; it is made again when that is put right",
            entry.reason.as_deref().unwrap_or_default()
        )),
        (Say::Approve, state) => Err(format!("{key} is {}: there is nothing to approve", state.as_str())),
        // what was to go once more has failed, and is off the list of what is wrong with this
        (Say::Hold, State::Sent)
            if entry
                .again
                .iter()
                .any(|a| a.state == State::Failed && !entry.is_settled(Some(a))) =>
        {
            Ok(())
        }
        (Say::Hold, State::Sent) => Err(format!("{key} has left: nothing can hold it")),
        (Say::Hold, State::NoRecipient | State::Held) => {
            Err(format!("{key} is {} already: it does not go", entry.state.as_str()))
        }
        (Say::Hold, _) => Ok(()),
    }
}

/// Delivers the same decision on several messages, or says of which it cannot be said.
pub fn say(
    layout: &Layout,
    config: &Config,
    say: Say,
    entries: &[&Entry],
    person: &Person,
) -> Result<Vec<Delivered>, PipelineError> {
    let refused: Vec<String> = entries.iter().filter_map(|e| may_say(say, e).err()).collect();
    if !refused.is_empty() {
        return Err(PipelineError::Usage(refused.join("; ")));
    }
    if entries.is_empty() {
        return Err(PipelineError::Usage(
            "no message fits: name keys, or a partner, period or kind; `starledger outbox list` shows them".to_owned(),
        ));
    }
    let earlier: Vec<&Act> = entries.iter().flat_map(|e| &e.acts).collect();
    let at = instant(person, Zone::UTC, &earlier)?;
    let decided: Vec<Decided> = entries
        .iter()
        .map(|entry| Decided {
            kind: KIND,
            subject: &entry.key,
            outcome: match say {
                Say::Approve => APPROVED,
                Say::Hold => HELD,
            },
            effective_on: None,
            subject_hash: entry.content,
            amount: None,
        })
        .collect();
    deliver_all(layout, config, person, &decided, at)
}

/// Delivers the decision to send a message once more; `to` is the hash of another address.
pub fn resend(
    layout: &Layout,
    config: &Config,
    entry: &Entry,
    to: Option<Digest>,
    person: &Person,
) -> Result<Delivered, PipelineError> {
    let refuse = |why: &str| Err(PipelineError::Usage(format!("{}: {why}", entry.key)));
    let is_over = match entry.state {
        State::Sent | State::Failed => true,
        // held after it had failed
        State::Held => entry.record.as_ref().is_some_and(|r| r.state.is_final()),
        _ => false,
    };
    if !is_over {
        return refuse(&format!(
            "it is {}: only what was sent or has failed goes once more; `starledger outbox send` sends what is due",
            entry.state.as_str()
        ));
    }
    if entry
        .again
        .iter()
        .any(|a| !matches!(a.state, State::Sent | State::Failed))
    {
        return refuse("it is on its way once more already");
    }
    let earlier: Vec<&Act> = entry.acts.iter().collect();
    let at = instant(person, Zone::UTC, &earlier)?;
    let outcome = to.map_or_else(|| RESENT.to_owned(), |hash| format!("{RESENT_TO}{hash}"));
    let decided = Decided {
        kind: KIND,
        subject: &entry.key,
        outcome: &outcome,
        effective_on: None,
        subject_hash: entry.content,
        amount: None,
    };
    deliver(layout, config, person, &decided, at)
}

/// Delivers the decision that an address may get mail again.
pub fn lift(
    layout: &Layout,
    config: &Config,
    known: &[Act],
    address: Digest,
    person: &Person,
) -> Result<Delivered, PipelineError> {
    let subject = format!("{ADDRESS}{address}");
    let earlier: Vec<&Act> = known.iter().filter(|act| act.subject == subject).collect();
    let at = instant(person, Zone::UTC, &earlier)?;
    let decided = Decided {
        kind: KIND,
        subject: &subject,
        outcome: LIFTED,
        effective_on: None,
        subject_hash: None,
        amount: None,
    };
    deliver(layout, config, person, &decided, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Instant;

    fn act(outcome: &str, second: i64, content: Option<Digest>) -> Act {
        Act {
            decision_id: format!("MAIL-ABC{second}"),
            kind: KIND.into(),
            subject: "k".into(),
            outcome: outcome.into(),
            effective_on: None,
            subject_hash: content,
            amount: None,
            reason: "r".into(),
            by: "b".into(),
            role: "o".into(),
            decided_at: Instant::from_micros(second),
            pending: false,
        }
    }

    #[test]
    fn the_last_word_counts_and_an_approval_only_for_what_was_approved() {
        let (these, others) = (Some(Digest::of(b"x")), Some(Digest::of(b"y")));
        let check = |acts: &[Act], approved: bool, held: bool| {
            let verdict = verdict(acts, these);
            assert_eq!((verdict.approved, verdict.held.is_some()), (approved, held), "{acts:?}");
        };
        check(&[], false, false);
        check(&[act(APPROVED, 1, these)], true, false);
        check(&[act(APPROVED, 1, others)], false, false);
        check(&[act(APPROVED, 1, None)], false, false);
        check(&[act(APPROVED, 1, these), act(HELD, 2, these)], false, true);
        check(&[act(HELD, 1, these), act(APPROVED, 2, these)], true, false);
        check(&[act(HELD, 1, these), act(APPROVED, 2, others)], false, true);
        check(&[act(APPROVED, 1, these), act(RESENT, 2, these)], true, false);
    }

    #[test]
    fn what_is_sent_once_more_has_a_key_of_its_own() {
        let to = Digest::of(b"a@b.example");
        assert_eq!(resent(&act(RESENT, 1, None)), Some(Resent::Same));
        assert_eq!(resent(&act(&format!("{RESENT_TO}{to}"), 1, None)), Some(Resent::To(to)));
        assert_eq!(resent(&act(HELD, 1, None)), None);
        assert_eq!(again_key("k", &act(RESENT, 7, None)), "k.again-abc7");
    }
}
