//! The part of a write that goes to other endpoints than the object's own: lists that belong to it, and what must follow a
//! change. Further methods of [`RowRun`].

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::live::live;
use super::row::RowRun;
use super::verdict::{Verdict, answered, failed, unknown};
use crate::auth0::{ApiError, Sent, Settlement, calls, is_half_way};
use crate::model::{Association, Body, Outcome, RowResult, SettledBy, Written};
use crate::plan::{Write, check_answer};

impl RowRun {
    /// Whether it changes a list that has an endpoint of its own.
    pub(super) fn touches_lists(&self) -> bool {
        self.write.changes.iter().any(|change| self.kind.endpoint.association(change.path.root()).is_some())
    }

    /// What goes to the object's own endpoint, and what goes to those of its lists.
    pub(super) fn apart(&self, body: Body) -> (Body, Body) {
        body.into_iter().partition(|(key, _)| self.kind.endpoint.association(key).is_none())
    }

    /// The write without its lists, of which the answer to the object's own change says nothing.
    pub(super) fn of_fields(&self) -> Write {
        if self.kind.endpoint.associations.is_empty() && self.kind.endpoint.then.is_none() {
            return self.write.clone();
        }
        let elsewhere = |root: &str| {
            self.kind.endpoint.association(root).is_some()
                || self.kind.endpoint.then.as_ref().is_some_and(|then| then.keeps == root)
        };
        let mut write = self.write.clone();
        write.changes.retain(|change| !elsewhere(change.path.root()));
        let before = write.before.iter().filter(|(key, _)| !elsewhere(key));
        write.before = Arc::new(before.map(|(key, value)| (key.clone(), value.clone())).collect());
        write
    }

    /// The write as it goes on where it may have been begun before: a list that takes several calls goes on from what some of
    /// them have left.
    pub(super) fn going_on_from(&self, now: &Body) -> Cow<'_, Write> {
        if self.task.written == Written::No || !self.touches_lists() {
            return Cow::Borrowed(&self.write);
        }
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let mut write = self.write.clone();
        for change in &mut write.changes {
            let Some(association) = self.kind.endpoint.association(change.path.root()) else { continue };
            let now = change.path.get(now);
            let (from, to) = (list(change.before.as_ref()), list(change.after.as_ref()));
            if is_half_way(association, &from, &to, &list(now)) {
                change.before = now.cloned();
            }
        }
        Cow::Owned(write)
    }

    /// Whether the write takes along what others may change meanwhile: a draft that would go live with it, or a field that is sent
    /// only so that it stays.
    pub(super) fn hangs_on_others(&self) -> bool {
        let follows = self
            .kind
            .endpoint
            .then
            .as_ref()
            .is_some_and(|then| self.write.before.get(&then.keeps) == Some(&Value::Bool(true)));
        let fields = &self.kind.root().fields;
        let is_asked = |root: &str| self.write.changes.iter().any(|change| change.path.root() == root);
        let sent_along =
            |root: &String| fields.get(root).is_some_and(|field| field.sent_along) && !is_asked(root);
        follows || self.write.body.keys().any(sent_along)
    }

    /// Why an object is left alone that somebody else is at work on.
    pub(super) fn somebodys_draft(&self) -> String {
        format!(
            "somebody has changed the {} since it was read, and that is not live yet; the change would take it live with it",
            self.kind.singular
        )
    }

    /// Whether a version of the object was live when it was planned, and the one that it holds now is not.
    pub(super) fn must_follow(&self, now: &Body) -> bool {
        let Some(then) = &self.kind.endpoint.then else { return false };
        let is = |body: &Body, live: bool| body.get(&then.keeps) == Some(&Value::Bool(live));
        is(&self.write.before, true) && is(now, false)
    }

    /// A write of which nothing is left to be done to the object's own fields.
    pub(super) async fn without_fields(&self, lists: &Body, outcome: &mut Outcome) -> (RowResult, Verdict) {
        if !self.behind {
            return self.change_lists(lists, outcome, Verdict::default()).await;
        }
        let settled = Some(SettledBy::FoundInPlace);
        self.go_on(lists, outcome, Verdict { written: Written::Yes, settled, ..Verdict::default() }).await
    }

    /// What is still to be done once the object's own fields are as planned.
    pub(super) async fn go_on(
        &self,
        lists: &Body,
        outcome: &mut Outcome,
        verdict: Verdict,
    ) -> (RowResult, Verdict) {
        if let Some(then) = &self.kind.endpoint.then
            && self.write.before.get(&then.keeps) == Some(&Value::Bool(true))
        {
            let endpoint = &self.kind.endpoint;
            let trace = self.trace();
            let sent = self.setup.writer.follow(endpoint, &then.path, &self.write.id, &trace).await;
            if let Err(ended) = counted(outcome, sent) {
                return half_done(ended, verdict.written, &then.path);
            }
        }
        if lists.is_empty() {
            return (RowResult::Updated, verdict);
        }
        self.change_lists(lists, outcome, verdict).await
    }

    /// Brings lists to what they are to hold, and looks whether they do.
    pub(super) async fn change_lists(
        &self,
        lists: &Body,
        outcome: &mut Outcome,
        verdict: Verdict,
    ) -> (RowResult, Verdict) {
        let mut verdict = verdict;
        for (root, wanted) in lists {
            let Some(association) = self.kind.endpoint.association(root) else { continue };
            match self.change_list(association, wanted, outcome).await {
                Ok(()) => verdict.written = Written::Yes,
                Err(ended) => return half_done(ended, verdict.written, root),
            }
        }
        let roots: Vec<&str> = lists.keys().map(String::as_str).collect();
        let reader = self.setup.writer.settling_reader();
        match live(&reader, self.kind, &self.write.id, Some(&roots)).await {
            Ok(now) => {
                let mut write = self.write.clone();
                write.changes.retain(|change| lists.contains_key(change.path.root()));
                write.before = Arc::new(Body::new());
                let (result, looked) = answered(&check_answer(self.kind, &write, &now.body));
                if result == RowResult::Updated {
                    return (result, Verdict { http_status: verdict.http_status.or(Some(200)), ..verdict });
                }
                (result, Verdict { http_status: Some(200), written: Written::Yes, ..looked })
            }
            Err(error) => {
                let (result, looked) = unknown(&error.to_string());
                (result, Verdict { http_status: error.status(), written: Written::Yes, ..looked })
            }
        }
    }

    async fn change_list(
        &self,
        association: &Association,
        wanted: &Value,
        outcome: &mut Outcome,
    ) -> Result<(), Ended> {
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let (now, wanted) = (list(self.lists.get(&association.field)), list(Some(wanted)));
        let mut any = false;
        for step in calls(association, &now, &wanted) {
            let endpoint = &self.kind.endpoint;
            let trace = self.trace();
            let sent =
                self.setup.writer.associate(endpoint, association, &self.write.id, &step, &trace).await;
            counted(outcome, sent).map_err(|ended| Ended { any: any || ended.any, ..ended })?;
            any = true;
        }
        Ok(())
    }

    /// What `X-Correlation-ID` says.
    pub(super) fn trace(&self) -> String {
        format!("{}/{}", self.setup.run, self.write.label.correlation())
    }
}

/// A request that failed on the way.
struct Ended {
    error: ApiError,
    settlement: Settlement,
    /// Whether others had been carried out before.
    any: bool,
}

/// Counts what a request took.
fn counted(outcome: &mut Outcome, sent: Sent<()>) -> Result<(), Ended> {
    outcome.attempts += sent.attempts;
    outcome.waited_ms += sent.waited.as_millis() as u64;
    let settlement = sent.settlement;
    sent.result.map_err(|error| Ended { error, settlement, any: false })
}

/// Of a write that came to an end on its way, at `what`: what had been done before stays done, and is told.
fn half_done(ended: Ended, before: Written, what: &str) -> (RowResult, Verdict) {
    let Ended { error, settlement, any } = ended;
    let in_doubt = matches!(error, ApiError::Network { .. } | ApiError::Server { .. })
        || settlement != Settlement::NotNeeded;
    let written = match before {
        Written::No if any => Written::Yes,
        Written::No if in_doubt => Written::Perhaps,
        written => written,
    };
    let halted = matches!(error, ApiError::Halted);
    let (result, verdict) = if written == Written::Perhaps || halted && written != Written::No {
        unknown(&error.to_string())
    } else if halted {
        (RowResult::NotAttempted, super::verdict::stopped())
    } else {
        failed(&error)
    };
    let told = (written == Written::Yes).then(|| {
        let error = verdict.error.as_deref().unwrap_or_default();
        format!("a part of it was written, and stays until it is undone; then {what}: {error}")
    });
    (result, Verdict { written, error: told.or(verdict.error.clone()), ..verdict })
}
