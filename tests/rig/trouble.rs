//! What goes wrong in a cycle while collectors call: an instance, the database server or Redis.

use crate::chance::Chance;
use crate::fleet::{Fleet, Started};
use crate::postgres::Server;
use crate::power::Disk;
use crate::proxy::Proxy;
use crate::redis::Watched;
use std::fmt;
use std::time::{Duration, Instant};

/// A crash point that is not reached in this time is called not reached.
const POINT_MAX: Duration = Duration::from_secs(10);

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// `kill -9` of one instance.
    KillOne,
    /// `kill -9` of one, whose next life ends at a crash point.
    DieAt(&'static str),
    /// `kill -9` of all instances at once.
    KillAll,
    /// `pg_ctl stop -m immediate`, and start.
    StopServer,
    /// `kill -9` of every process of the server, and start.
    KillServer,
    /// The power of the server and of its disk fails, and comes back.
    CutPower,
    /// The primary stops hard and its synchronous standby is promoted.
    Promote,
    /// FLUSHALL.
    FlushRedis,
    /// `kill -9` of Redis, which comes back empty.
    KillRedis,
    /// Redis hangs: it takes connections and answers nothing.
    HangRedis,
    /// The master dies and the sentinel promotes its replica.
    FailRedisOver,
    /// SIGTERM of one instance, which ends in order and starts again.
    Restart,
    /// For a control of what counts as failed: that instance is not told, it is killed.
    RestartUntold,
}

impl Trouble {
    /// May no call fail meanwhile?
    pub fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::FlushRedis
                | Self::KillRedis
                | Self::HangRedis
                | Self::FailRedisOver
                | Self::Restart
                | Self::RestartUntold
        )
    }
}

impl Trouble {
    /// Does it look at the balancer, so that calls must go through it?
    pub fn needs_proxy(self) -> bool {
        matches!(self, Self::Restart | Self::RestartUntold)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillOne => f.write_str("kill -9 of one instance"),
            Self::DieAt(point) => write!(f, "one instance dies at {point}"),
            Self::KillAll => f.write_str("kill -9 of all instances"),
            Self::StopServer => f.write_str("immediate stop of PostgreSQL"),
            Self::KillServer => f.write_str("kill -9 of PostgreSQL"),
            Self::CutPower => f.write_str("power cut of PostgreSQL"),
            Self::Promote => f.write_str("promotion of the synchronous standby"),
            Self::FlushRedis => f.write_str("Redis flushed"),
            Self::KillRedis => f.write_str("Redis killed"),
            Self::HangRedis => f.write_str("Redis hangs"),
            Self::FailRedisOver => f.write_str("Redis failed over by Sentinel"),
            Self::Restart => f.write_str("restart of one instance"),
            Self::RestartUntold => f.write_str("restart of one instance by kill -9"),
        }
    }
}

/// All that can go wrong.
pub struct World {
    pub fleet: Fleet,
    /// The one that is written comes first.
    pub servers: Vec<Server>,
    /// Where the books are, if its power is to be cut.
    pub disk: Option<Disk>,
    pub redis: Watched,
    pub proxy: Option<Proxy>,
    /// A control of the standby: nobody waits for it.
    pub lagging: bool,
    /// What must not happen may, because it is what a control looks for: instances end when they find a loss.
    pub control: bool,
    /// Restarts so far: they take turns.
    pub turn: usize,
    /// Crash points that were not met.
    pub not_reached: u64,
}

fn nap(chance: &mut Chance, least_ms: u64, more_ms: u64) {
    std::thread::sleep(Duration::from_millis(least_ms + chance.below(more_ms)));
}

impl World {
    /// Makes it, and puts it right again. Collectors call all the while.
    pub fn suffer(&mut self, trouble: Trouble, chance: &mut Chance) -> Result<(), String> {
        nap(chance, 100, 500);
        match trouble {
            Trouble::KillOne => self.kill_one(None, chance),
            Trouble::DieAt(point) => self.kill_one(Some(point), chance),
            Trouble::KillAll => {
                (0..self.fleet.count()).try_for_each(|number| self.fleet.kill(number))?;
                self.fleet.start_missing()
            }
            Trouble::StopServer | Trouble::KillServer | Trouble::CutPower => self.server_dies(trouble, chance),
            Trouble::Promote => self.primary_dies(chance),
            Trouble::FlushRedis => {
                self.redis.master().flush();
                Ok(())
            }
            Trouble::KillRedis => self.redis_dies(chance),
            Trouble::HangRedis => {
                self.redis.master().signal("-STOP");
                // Shorter than what a sentinel would fail over for.
                nap(chance, 100, 150);
                self.redis.master().signal("-CONT");
                Ok(())
            }
            Trouble::FailRedisOver => self.redis.fail_over(),
            Trouble::Restart | Trouble::RestartUntold => self.restart(trouble),
        }?;
        // A failed write or flush ends an instance: that is its word for a disk that is not to be trusted.
        self.recover(trouble == Trouble::CutPower)?;
        nap(chance, 100, 200);
        Ok(())
    }

    /// Nobody may have ended by itself, unless it had to, and everybody is ready again.
    fn recover(&mut self, may_end: bool) -> Result<(), String> {
        if !self.control && !may_end {
            let dead = self.fleet.bury()?;
            return if dead.is_empty() {
                self.fleet.wait_until_ready()
            } else {
                Err(format!("instances {dead:?} ended by themselves"))
            };
        }
        // Whoever ended, such as when it found that the database has lost something, is started again by its manager.
        for _ in 0..5 {
            self.fleet.bury()?;
            self.fleet.start_missing()?;
            if self.fleet.wait_until_ready().is_ok() {
                return Ok(());
            }
        }
        self.fleet.wait_until_ready()
    }

    fn kill_one(&mut self, point: Option<&'static str>, chance: &mut Chance) -> Result<(), String> {
        let victim = chance.index(self.fleet.count());
        self.fleet.kill(victim)?;
        nap(chance, 0, 200);
        let armed = point.map(|name| format!("{name}:{}", 1 + chance.below(12)));
        let started = self.fleet.start(victim, armed.as_deref())?;
        if armed.is_none() {
            return Ok(());
        }
        if matches!(started, Started::Ready) && !self.dies(victim)? {
            self.not_reached += 1;
            self.fleet.kill(victim)?;
        }
        nap(chance, 0, 200);
        self.fleet.start(victim, None).map(drop)
    }

    fn dies(&mut self, victim: usize) -> Result<bool, String> {
        let since = Instant::now();
        while since.elapsed() < POINT_MAX {
            if self.fleet.died(victim)? {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }

    fn server_dies(&mut self, trouble: Trouble, chance: &mut Chance) -> Result<(), String> {
        let server = self.servers.first().ok_or("there is no server")?;
        match (trouble, &mut self.disk) {
            (Trouble::KillServer, _) => server.kill()?,
            (Trouble::CutPower, Some(disk)) => server.cut_power(disk)?,
            _ => server.stop()?,
        }
        nap(chance, 0, 400);
        server.start()
    }

    fn primary_dies(&mut self, chance: &mut Chance) -> Result<(), String> {
        let [primary, standby] = self.servers.as_slice() else { return Err("there is no standby".to_owned()) };
        if self.lagging {
            primary.lag(standby)?;
            nap(chance, 400, 100);
        }
        primary.stop()?;
        nap(chance, 0, 200);
        standby.promote()?;
        self.recover(false)?;
        nap(chance, 200, 200);
        // The dead one comes back as the standby of its heir, from a copy.
        self.servers.reverse();
        let [primary, standby] = self.servers.as_slice() else { return Err("there is no standby".to_owned()) };
        primary.lead(standby)
    }

    fn redis_dies(&mut self, chance: &mut Chance) -> Result<(), String> {
        self.redis.kill_all();
        nap(chance, 200, 800);
        self.redis.again()
    }

    /// As whoever restarts them by hand: the next one only when the balancer has this one again.
    fn restart(&mut self, trouble: Trouble) -> Result<(), String> {
        let victim = self.turn % self.fleet.count();
        self.turn += 1;
        match trouble {
            Trouble::RestartUntold => self.fleet.kill(victim)?,
            _ => self.fleet.stop(victim)?,
        }
        self.fleet.start(victim, None)?;
        self.proxy.as_ref().map_or(Ok(()), |proxy| proxy.wait_for_all(self.fleet.count()))
    }
}
