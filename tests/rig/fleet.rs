//! Several instances of the gateway on one database, each in a folder and on ports of its own.

use crate::gateway::{self, Gateway, Setup};
use crate::http::Reach;
use crate::ports;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// What they share.
pub struct Common {
    pub store: String,
    pub seen: String,
    pub core: SocketAddr,
    pub fault: Option<&'static str>,
    pub ready_ms: u64,
}

/// An instance, alive or not.
pub struct Instance {
    pub setup: Setup,
    gateway: Option<Gateway>,
}

/// All of them.
pub struct Fleet(Vec<Instance>);

/// How a start went.
pub enum Started {
    Ready,
    /// It met its crash point before it was ready: it had messages left to send.
    Died,
}

impl Fleet {
    /// Writes each one's configuration; starts nothing.
    pub fn prepare(home: &Path, count: usize, common: &Common) -> Result<Self, String> {
        let mut instances = Vec::new();
        for number in 0..count {
            let setup = Setup {
                home: home.join(format!("instance-{number}")),
                store: common.store.clone(),
                core: common.core,
                seen: common.seen.clone(),
                listen: Some([ports::free(), ports::free()]),
                ready_ms: common.ready_ms,
                fault: common.fault,
            };
            fs::create_dir_all(&setup.home).map_err(|e| e.to_string())?;
            gateway::write_setup(&setup).map_err(|e| format!("the rig's config: {e}"))?;
            instances.push(Instance { setup, gateway: None });
        }
        Ok(Self(instances))
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Public and internal listener of each.
    pub fn listeners(&self) -> Vec<[SocketAddr; 2]> {
        self.0.iter().filter_map(|i| i.setup.listen).collect()
    }

    /// Where collectors call them.
    pub fn reaches(&self) -> Vec<Reach> {
        self.listeners().into_iter().map(|[public, _]| public.into()).collect()
    }

    /// Those that run.
    pub fn running(&self) -> Vec<&Gateway> {
        self.0.iter().filter_map(|i| i.gateway.as_ref()).collect()
    }

    pub fn setup(&self) -> Result<&Setup, String> {
        self.0.first().map(|i| &i.setup).ok_or_else(|| "there are no instances".to_owned())
    }

    fn at(&mut self, number: usize) -> Result<&mut Instance, String> {
        self.0.get_mut(number).ok_or_else(|| format!("there is no instance {number}"))
    }

    /// Starts one and waits until it is ready.
    pub fn start(&mut self, number: usize, point: Option<&str>) -> Result<Started, String> {
        let instance = self.at(number)?;
        match Gateway::start(&instance.setup, point) {
            Ok(gateway) => instance.gateway = Some(gateway),
            Err(why) if point.is_some() && why.contains("SIGABRT") => return Ok(Started::Died),
            Err(why) => return Err(format!("instance {number}: {why}")),
        }
        Ok(Started::Ready)
    }

    /// Starts every one that does not run.
    pub fn start_missing(&mut self) -> Result<(), String> {
        for number in 0..self.count() {
            if self.at(number)?.gateway.is_none() {
                self.start(number, None)?;
            }
        }
        Ok(())
    }

    /// `kill -9`.
    pub fn kill(&mut self, number: usize) -> Result<(), String> {
        // Dropping it kills it.
        drop(self.at(number)?.gateway.take());
        Ok(())
    }

    /// Did it die by itself?
    pub fn died(&mut self, number: usize) -> Result<bool, String> {
        let instance = self.at(number)?;
        let died = instance.gateway.as_mut().is_some_and(|g| g.ended().is_some());
        if died {
            instance.gateway = None;
        }
        Ok(died)
    }

    /// Those that ended by themselves, which are no more counted among the running.
    pub fn bury(&mut self) -> Result<Vec<usize>, String> {
        let mut dead = Vec::new();
        for number in 0..self.count() {
            if self.died(number)? {
                dead.push(number);
            }
        }
        Ok(dead)
    }

    /// Waits until each that runs may get traffic.
    pub fn wait_until_ready(&mut self) -> Result<(), String> {
        for (number, instance) in self.0.iter_mut().enumerate() {
            if let Some(gateway) = instance.gateway.as_mut() {
                gateway.wait_until_ready(&instance.setup).map_err(|why| format!("instance {number}: {why}"))?;
            }
        }
        Ok(())
    }

    /// SIGTERM, and a good end.
    pub fn stop(&mut self, number: usize) -> Result<(), String> {
        let Some(gateway) = self.at(number)?.gateway.take() else { return Ok(()) };
        let status = gateway.stop()?;
        if status.success() { Ok(()) } else { Err(format!("instance {number}, SIGTERM: {status}")) }
    }

    /// All of them, one after the other.
    pub fn stop_all(&mut self) -> Result<(), String> {
        (0..self.count()).try_for_each(|number| self.stop(number))
    }
}
