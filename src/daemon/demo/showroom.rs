//! What the demo shows from the start: two athletes who are signed in at Garmin and in a race, the page of one of them,
//! and histories that fill as soon as a client connects.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::accounts::{Account, AccountId, Accounts};
use crate::base::clock::Clock;
use crate::base::lifecycle::Lifecycle;
use crate::base::secrets::Secret;
use crate::daemon::Daemon;
use crate::garmin::{self, Credentials, GovernorSettings, SignInOutcome, SignIns};
use crate::history::History;
use crate::race::id::RaceId;
use crate::race::share::{ShareRole, ShareTerms};
use crate::races::{RaceCaller, Races};
use crate::simulator::livetrack::scenario::Scenario;
use crate::simulator::{Person, Simulator, livetrack};

/// The people who are signed in from the start.
const SIGNED_IN: usize = 2;

/// The time since the start of LiveTrack when the demo begins, in seconds.
const RACE_ELAPSED_S: u32 = 50 * 60;

/// The factors for the athletes' speeds, in turn, so that no two athletes are level.
const SPEED_SHARES: [f64; 3] = [1.0, 0.94, 1.05];

/// Fills the demo with people, races and histories. Clones share the gateway.
#[derive(Clone)]
pub(super) struct Showroom {
    accounts: Accounts,
    races: Races,
    history: History,
    simulator: Simulator,
    people: Arc<[Person]>,
    scenario: Arc<Scenario>,
}

impl Showroom {
    pub(super) fn new(daemon: &Daemon, simulator: Simulator, people: Vec<Person>) -> anyhow::Result<Self> {
        let scenario =
            livetrack::demo_race().map_err(|e| anyhow::anyhow!("the demo's race is wrong: {e:?}"))?;
        Ok(Self {
            accounts: daemon.accounts().clone(),
            races: daemon.races().clone(),
            history: daemon.history().clone(),
            simulator,
            people: people.into(),
            scenario: Arc::new(scenario),
        })
    }

    /// Signs the first athletes in, and starts their race. Returns the address of the first one's live page.
    pub(super) async fn open(&self, pace: GovernorSettings, clock: Clock) -> anyhow::Result<Secret> {
        let hosts = self.simulator.hosts();
        let http = garmin::client(&hosts)?;
        let sign_ins = SignIns::new(hosts, http, clock, pace);
        let mut page = None;
        for person in self
            .people
            .iter()
            .filter(|person| !person.is_locked)
            .take(SIGNED_IN)
        {
            let account = self.signed_in(&sign_ins, person).await?;
            let race = self.furnish(&account).await?;
            if page.is_none() {
                let terms = ShareTerms::usual(ShareRole::Family);
                let shared = self.races.share(&operator(&account.id), &race, terms).await?;
                page = Some(shared.url);
            }
        }
        page.context("the demo has nobody to sign in")
    }

    /// Gives each account that is added later a race and a history too.
    pub(super) fn keep_open(&self, lifecycle: &Lifecycle) {
        let (showroom, stopping) = (self.clone(), lifecycle.stopping());
        lifecycle.spawn("demo race", async move {
            let mut furnished: Vec<AccountId> = ids(&showroom.accounts);
            loop {
                for account in showroom.accounts.list().unwrap_or_default() {
                    if furnished.contains(&account.id) {
                        continue;
                    }
                    if let Err(e) = showroom.furnish(&account).await {
                        tracing::warn!(reason = %e, "demo.race_not_tracked");
                    }
                    furnished.push(account.id);
                }
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
            }
        });
    }

    async fn signed_in(&self, sign_ins: &SignIns, person: &Person) -> anyhow::Result<Account> {
        let credentials = Credentials {
            email: person.email.clone(),
            password: Secret::new(person.password.clone()),
        };
        let mut outcome = sign_ins.begin(credentials).await;
        if let (SignInOutcome::Mfa(challenge), Some(mfa)) = (&mut outcome, &person.mfa) {
            outcome = sign_ins.verify(challenge, &Secret::new(mfa.code.clone())).await;
        }
        match outcome {
            SignInOutcome::SignedIn(signed_in) => Ok(self.accounts.link(&person.email, signed_in).await?),
            SignInOutcome::Mfa(_) => {
                bail!("the simulated Garmin asks for a code that the demo does not have")
            }
            SignInOutcome::Refused(refusal) => {
                bail!("the simulated Garmin refused: {}", refusal.reason())
            }
        }
    }

    /// Starts a separate race for an account, and a history, which fills as soon as a client connects.
    async fn furnish(&self, account: &Account) -> anyhow::Result<RaceId> {
        self.history.switch_on(&account.id, |_| Ok(true)).await?;
        let scenario = self.race_of(&account.email);
        let pace = livetrack::Playback {
            elapsed_s: RACE_ELAPSED_S,
            ..livetrack::Playback::default()
        };
        let link = self.simulator.play(&scenario, pace).into_iter().next();
        let link = link.context("the demo's race has no link")?.to_string();
        let config: Map<String, Value> = scenario.race_config.as_object().cloned().unwrap_or_default();
        let started = self
            .races
            .start_tracking(&operator(&account.id), &link, &config, None)
            .await?;
        Ok(started.race)
    }

    /// The race as this athlete runs it.
    fn race_of(&self, email: &str) -> Scenario {
        let mut race = (*self.scenario).clone();
        let number = self
            .people
            .iter()
            .position(|person| person.email == email)
            .unwrap_or(0);
        let share = SPEED_SHARES.iter().cycle().nth(number).copied().unwrap_or(1.0);
        if let Some(person) = self.people.get(number) {
            race.athlete.clone_from(&person.data.full_name);
        }
        race.seed += u64::try_from(number).unwrap_or(0);
        for leg in &mut race.legs {
            leg.speed_mps *= share;
        }
        race
    }
}

fn operator(account: &AccountId) -> RaceCaller {
    RaceCaller::Operator(account.clone())
}

fn ids(accounts: &Accounts) -> Vec<AccountId> {
    let all = accounts.list().unwrap_or_default();
    all.into_iter().map(|account| account.id).collect()
}
