//! A small executor: it holds everything that is under way, and polls one of it at a time, in an
//! order that the seed decides. Nothing else runs, so a run can be repeated exactly.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::chance::Chance;

/// Something under way.
pub(super) type Activity = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells one activity from all others of a run.
pub(super) type ActivityId = u64;

struct Actor {
    id: ActivityId,
    name: &'static str,
    woken: Arc<Bell>,
    activity: Activity,
}

struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Everything that is under way.
#[derive(Default)]
pub(super) struct Actors {
    actors: Vec<Actor>,
    begun: ActivityId,
}

impl Actors {
    /// Adds something that begins when it is first polled.
    pub(super) fn spawn(&mut self, name: &'static str, activity: Activity) {
        self.begun += 1;
        self.actors.push(Actor {
            id: self.begun,
            name,
            woken: Arc::new(Bell(AtomicBool::new(true))),
            activity,
        });
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.actors
            .iter()
            .filter(|actor| actor.name == name)
            .count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }

    /// Lets everything look again whether it can go on.
    pub(super) fn wake_all(&self) {
        for actor in &self.actors {
            actor.woken.0.store(true, Ordering::Relaxed);
        }
    }

    /// Polls one activity that can go on; `false` if none can. `begin` is told which.
    pub(super) fn poll_one(
        &mut self,
        chance: &mut Chance,
        begin: impl FnOnce(ActivityId, &'static str),
    ) -> bool {
        let ready: Vec<usize> = (0..self.actors.len())
            .filter(|&index| self.actors[index].woken.0.load(Ordering::Relaxed))
            .collect();
        if ready.is_empty() {
            return false;
        }
        let index = chance.pick(&ready);
        let actor = &mut self.actors[index];
        actor.woken.0.store(false, Ordering::Relaxed);
        begin(actor.id, actor.name);
        let waker = Waker::from(Arc::clone(&actor.woken));
        if actor
            .activity
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            == Poll::Ready(())
        {
            // The order of the others must not change: it is part of what the seed decides.
            self.actors.remove(index);
        }
        true
    }
}

/// How futures are brought to their end where nothing else may come between.
#[derive(Clone, Debug)]
pub(super) enum Drive {
    /// Over a store that waits for nobody.
    AtOnce,
    /// Over a store that does I/O, which other threads of this runtime look after.
    Tokio(Handle),
}

impl Drive {
    /// Also from within a future that is brought to its end in the same way.
    pub(super) fn finish<T>(&self, future: impl Future<Output = T>) -> T {
        match self {
            Self::AtOnce => at_once(future),
            Self::Tokio(handle) => block_in_place(|| handle.block_on(future)),
        }
    }
}

/// The result of a future that waits for nobody.
///
/// # Panics
///
/// Panics if it does wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("what was said to wait for nobody waits"),
    }
}

/// Lets everybody else have a turn.
pub(super) async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
