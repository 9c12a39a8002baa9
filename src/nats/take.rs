//! Takes messages, files their events, says what became of them.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, AckKind, Message};
use async_nats::{ConnectOptions, Event};
use futures::TryStreamExt as _;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use tokio::sync::Notify;

use super::Settings;
use super::settings::covers;
use crate::intake::{Answer, Intake, Rejected, Report};
use crate::snapshot::Atlas;
use crate::store::Store;

const MESSAGES: &str = "gridatlas_nats_messages_total";
const PENDING: &str = "gridatlas_nats_pending_messages";
const FOLLOWED: &str = "gridatlas_nats_followed";

/// How long a message may be in hand before it comes again: a batch is filed in a fraction
/// of it.
const ACK_WAIT: Duration = Duration::from_secs(60);
/// Messages that may be in hand in all services together.
const IN_HAND: i64 = 20_000;
/// How long is waited for the next message before it is asked for again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a batch beside its first message.
const BATCH_BYTES: usize = 8 << 20;
/// How long a server may take to say that nothing more waits.
const ANSWERED: Duration = Duration::from_secs(5);
/// When what could not be settled comes again.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two attempts to reach the stream, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why a stream is not followed at the moment.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Said(String),
    #[error(transparent)]
    Nats(#[from] async_nats::Error),
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> Broken {
    Broken::Nats(Box::new(error))
}

/// Files what comes through a stream, for as long as it is polled. Where the stream can't be
/// reached it is tried again, less and less often.
pub async fn follow(settings: Settings, intake: Arc<Intake>, atlas: Arc<Atlas>) {
    describe_counter!(MESSAGES, "Messages of the stream of events, by what became of them");
    describe_gauge!(PENDING, "Messages of the stream of events that are still to come");
    describe_gauge!(FOLLOWED, "1 while the stream of events is followed, else 0");
    let place = format!("the stream {} of {}", settings.stream, settings.place());
    let mut wait = FIRST_WAIT;
    loop {
        gauge!(FOLLOWED).set(0.0);
        let ended = match Taking::begin(&settings).await {
            Ok(taking) => {
                tracing::info!("taking events from {place}");
                gauge!(FOLLOWED).set(1.0);
                wait = FIRST_WAIT;
                taking.run(&intake, &atlas).await
            }
            Err(error) => error,
        };
        tracing::warn!("no events from {place}: {ended}; trying again in {wait:?}");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// A consumer of the stream, at work.
struct Taking {
    context: jetstream::Context,
    consumer: PullConsumer,
    rejected: String,
    batch: usize,
    /// Told when the connection is lost: what was asked for over it is never answered.
    lost: Arc<Notify>,
}

impl Taking {
    async fn begin(settings: &Settings) -> Result<Self, Broken> {
        let lost = Arc::new(Notify::new());
        let tell = lost.clone();
        let mut options = ConnectOptions::new().name("gridatlas").event_callback(move |event| {
            if matches!(event, Event::Disconnected | Event::Closed) {
                tell.notify_one();
            }
            std::future::ready(())
        });
        if let Some(file) = &settings.credentials {
            let unreadable = |error| Broken::Said(format!("{}: {error}", file.display()));
            options = options.credentials_file(file).await.map_err(unreadable)?;
        }
        if let Some(file) = &settings.certificates {
            options = options.add_root_certificates(file.clone());
        }
        let servers = settings.servers().map_err(Broken::Said)?;
        let client = options.connect(servers).await.map_err(broken)?;
        let context = jetstream::new(client);
        let stream = context.get_stream(&settings.stream).await.map_err(broken)?;
        let subjects = match &settings.subject {
            Some(subject) => std::slice::from_ref(subject),
            None => &stream.cached_info().config.subjects,
        };
        if let Some(subject) = subjects.iter().find(|subject| covers(subject, &settings.rejected)) {
            let (rejected, stream) = (&settings.rejected, &settings.stream);
            let what = format!("{stream} keeps {subject}, so what goes under {rejected} would come in again");
            return Err(Broken::Said(format!("{what}; say `subject`, or another `rejected`")));
        }
        let config = pull::Config {
            durable_name: Some(settings.consumer.clone()),
            description: Some("events on their way into gridatlas".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: IN_HAND,
            filter_subject: settings.subject.clone().unwrap_or_default(),
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(broken)?;
        Ok(Self { context, consumer, rejected: settings.rejected.clone(), batch: settings.batch, lost })
    }

    /// Takes batch by batch until something is in the way.
    async fn run(&self, intake: &Arc<Intake>, atlas: &Atlas) -> Broken {
        let Some(store) = atlas.store() else {
            return Broken::Said("this city is in memory alone and takes no events".to_owned());
        };
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                () = self.lost.notified() => Err(Broken::Said("the connection was lost".to_owned())),
            };
            let done = match next {
                Ok(messages) if messages.is_empty() => self.is_there().await,
                Ok(messages) => self.file(intake, atlas, store, messages).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    /// The next message, as soon as there is one, with those that wait behind it.
    async fn next(&self) -> Result<Vec<Message>, Broken> {
        let mut first = self.consumer.batch().max_messages(1).expires(PATIENCE).messages().await.map_err(broken)?;
        let Some(first) = first.try_next().await? else { return Ok(Vec::new()) };
        let mut messages = vec![first];
        if self.batch > 1 {
            let fetch = self.consumer.fetch().max_messages(self.batch - 1).max_bytes(BATCH_BYTES);
            let mut more = fetch.messages().await.map_err(broken)?;
            // What is in hand is filed, whatever ends it: what is in the way shows itself at the next one.
            while let Ok(Ok(Some(message))) = tokio::time::timeout(ANSWERED, more.try_next()).await {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    /// Whether the consumer is still there: one that is gone is as silent as one without messages.
    async fn is_there(&self) -> Result<(), Broken> {
        self.consumer.get_info().await.map(drop).map_err(broken)
    }

    async fn file(
        &self,
        intake: &Arc<Intake>,
        atlas: &Atlas,
        store: &Store,
        messages: Vec<Message>,
    ) -> Result<(), Broken> {
        if let Some(Ok(info)) = messages.last().map(Message::info) {
            gauge!(PENDING).set(info.pending as f64);
        }
        let limits = &intake.rules().limits;
        let reports = messages.iter().map(|message| Report::read(&message.payload, limits)).collect();
        let answers = match intake.file(atlas, store, reports).await {
            Ok(answers) => answers,
            Err(error) => {
                // They come again; what was kept of them by then is a repetition.
                for message in &messages {
                    message.ack_with(AckKind::Nak(Some(AGAIN))).await?;
                }
                counter!(MESSAGES, "result" => "put_back").increment(messages.len() as u64);
                return Err(broken(error));
            }
        };
        for (message, answer) in messages.iter().zip(answers) {
            let result = match answer {
                Answer::Accepted => "accepted",
                Answer::Duplicate => "duplicate",
                Answer::Rejected(rejected) => {
                    self.reject(message, &rejected).await?;
                    continue;
                }
            };
            message.ack().await?;
            counter!(MESSAGES, "result" => result).increment(1);
        }
        Ok(())
    }

    /// Lays a message that is no event aside, with the reason.
    async fn reject(&self, message: &Message, rejected: &Rejected) -> Result<(), Broken> {
        let reason: String = rejected.reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let info = message.info()?;
        // Laid aside once, even where it is not known whether it was.
        let number = format!("{}-{}", info.stream, info.stream_sequence);
        let aside = PublishMessage::build()
            .payload(message.payload.clone())
            .header("Gridatlas-Reason", reason.as_str())
            .header("Gridatlas-Subject", message.subject.as_str())
            .message_id(&number);
        let kept = match self.context.send_publish(self.rejected.clone(), aside).await {
            Ok(kept) => kept.await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::error!(
                "message {number} is no event ({reason}) and could not be put under {}: {error}",
                self.rejected
            );
            message.ack_with(AckKind::Nak(Some(AGAIN))).await?;
            counter!(MESSAGES, "result" => "put_back").increment(1);
            return Ok(());
        }
        tracing::warn!("message {number} is no event: {reason}");
        message.ack_with(AckKind::Term).await?;
        counter!(MESSAGES, "result" => "rejected").increment(1);
        Ok(())
    }
}
