//! The made-up customers: who they are, how they grow, what they buy. Pure data and arithmetic from a fixed seed, so that
//! two demonstrations look the same.

use aistack_core::{Currency, Role};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// A demonstration customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Customer {
    pub slug: &'static str,
    pub name: &'static str,
    pub plan: &'static str,
    pub locale: &'static str,
    pub time_zone: &'static str,
    pub currency: Currency,
    /// API calls on an ordinary weekday, at the end of the story.
    pub daily_calls: i64,
    /// Growth over the ninety days, percent: -40 means it lost four tenths of its traffic.
    pub growth: i64,
    /// Price of the plan per month, minor units; 0 for plans without a price.
    pub monthly_minor: i64,
    pub people: &'static [(&'static str, &'static str, Role)],
}

/// The customers, most interesting first.
pub(super) const CUSTOMERS: &[Customer] = &[
    Customer {
        slug: "acme",
        name: "Acme Robotics",
        plan: "professional",
        locale: "en",
        time_zone: "America/New_York",
        currency: Currency::USD,
        daily_calls: 1_450,
        growth: 65,
        monthly_minor: 29_900,
        people: &[
            ("olivia.marsh", "Olivia Marsh", Role::Owner),
            ("daniel.okafor", "Daniel Okafor", Role::Admin),
            ("priya.raman", "Priya Raman", Role::Billing),
            ("tom.becker", "Tom Becker", Role::Member),
            ("lucia.ferrer", "Lucia Ferrer", Role::Member),
            ("sam.whitfield", "Sam Whitfield", Role::Auditor),
        ],
    },
    Customer {
        slug: "dengta",
        name: "灯塔智能科技",
        plan: "enterprise",
        locale: "zh",
        time_zone: "Asia/Shanghai",
        currency: Currency::CNY,
        daily_calls: 6_200,
        growth: 120,
        monthly_minor: 1_280_000,
        people: &[
            ("lin.yuchen", "林雨辰", Role::Owner),
            ("zhao.min", "赵敏", Role::Admin),
            ("chen.haoran", "陈浩然", Role::Member),
            ("wang.siqi", "王思琪", Role::Billing),
            ("liu.jianguo", "刘建国", Role::Member),
        ],
    },
    Customer {
        slug: "northwind",
        name: "Northwind Legal",
        plan: "basic",
        locale: "en",
        time_zone: "Europe/London",
        currency: Currency::USD,
        daily_calls: 260,
        growth: 8,
        monthly_minor: 9_900,
        people: &[
            ("harriet.cole", "Harriet Cole", Role::Owner),
            ("amir.shah", "Amir Shah", Role::Member),
            ("beth.lowell", "Beth Lowell", Role::Member),
        ],
    },
    Customer {
        slug: "papaya",
        name: "Papaya Health",
        plan: "professional",
        locale: "en",
        time_zone: "Asia/Singapore",
        currency: Currency::USD,
        daily_calls: 980,
        growth: -35,
        monthly_minor: 29_900,
        people: &[
            ("mei.tan", "Mei Tan", Role::Owner),
            ("arjun.nair", "Arjun Nair", Role::Admin),
            ("siti.rahman", "Siti Rahman", Role::Member),
        ],
    },
    Customer {
        slug: "yucheng",
        name: "玉成教育",
        plan: "basic",
        locale: "zh",
        time_zone: "Asia/Shanghai",
        currency: Currency::CNY,
        daily_calls: 310,
        growth: 40,
        monthly_minor: 69_900,
        people: &[("zhou.wen", "周文", Role::Owner), ("xu.jing", "徐静", Role::Member)],
    },
    Customer {
        slug: "kestrel",
        name: "Kestrel Studio",
        plan: "free",
        locale: "en",
        time_zone: "Europe/Berlin",
        currency: Currency::USD,
        daily_calls: 28,
        growth: 15,
        monthly_minor: 0,
        people: &[("jonas.weber", "Jonas Weber", Role::Owner)],
    },
];

/// How many days the story covers.
pub(super) const DAYS: i64 = 90;

/// The share of a day's calls per three-hour slot, in thousandths: quiet nights, two working peaks.
const SLOTS: [i64; 8] = [18, 12, 55, 205, 235, 225, 170, 80];

/// Calls of one three-hour slot. `day` counts from 0 (oldest) to `DAYS - 1`; `weekday` from 1 (Monday) to 7.
pub(super) fn calls(c: &Customer, day: i64, weekday: i8, slot: usize) -> i64 {
    let mut dice = dice(c.slug, day * 8 + i64::try_from(slot).unwrap_or(0));
    // A straight line from where the customer started to where it is now.
    let start = c.daily_calls * 100 / (100 + c.growth).max(1);
    let level = start + (c.daily_calls - start) * day / (DAYS - 1);
    let weekend = if weekday >= 6 { 35 } else { 100 };
    let noise = dice.random_range(82..=118);
    // One incident that everybody remembers: a bad day two weeks ago, for one customer.
    let incident = if c.slug == "papaya" && day == DAYS - 14 {
        12
    } else {
        100
    };
    level * SLOTS.get(slot).copied().unwrap_or(0) / 1_000 * weekend / 100 * noise / 100 * incident / 100
}

/// How an order of the story ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Paid,
    Failed,
    Refunded,
    Pending,
}

/// An order of the story.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    pub day: i64,
    pub minor: i64,
    pub description: String,
    pub ending: Ending,
}

/// A customer's orders: the plan each thirty days, now and then extra calls, some that went wrong.
pub(super) fn purchases(c: &Customer) -> Vec<Purchase> {
    let zh = c.locale == "zh";
    let mut list = Vec::new();
    if c.monthly_minor > 0 {
        for (n, day) in [2, 32, 62].into_iter().enumerate() {
            let description = if zh {
                format!("{} 套餐，第 {} 个月", c.plan, n + 1)
            } else {
                format!("{} plan, month {}", c.plan, n + 1)
            };
            if c.slug == "papaya" && n == 2 {
                list.push(Purchase {
                    day,
                    minor: c.monthly_minor,
                    description: description.clone(),
                    ending: Ending::Failed,
                });
            }
            list.push(Purchase {
                day: day + i64::from(c.slug == "papaya" && n == 2) * 3,
                minor: c.monthly_minor,
                description,
                ending: Ending::Paid,
            });
        }
    }
    let mut dice = dice(c.slug, 1_000_003);
    for _ in 0..c.daily_calls / 400 {
        let day = dice.random_range(5..DAYS - 1);
        let packs = dice.random_range(1..=4);
        let description = if zh {
            format!("{packs} 万次 API 调用加油包")
        } else {
            format!("{packs} × 10,000 extra API calls")
        };
        let unit = if c.currency == Currency::CNY { 19_900 } else { 2_900 };
        let ending = match dice.random_range(0..10) {
            0 => Ending::Refunded,
            1 if day > DAYS - 8 => Ending::Pending,
            _ => Ending::Paid,
        };
        list.push(Purchase {
            day,
            minor: unit * packs,
            description,
            ending,
        });
    }
    list.sort_by_key(|p| p.day);
    list
}

fn dice(name: &str, n: i64) -> StdRng {
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    });
    StdRng::seed_from_u64(seed ^ n.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_is_the_same_each_time_and_moves_the_way_it_says() {
        for c in CUSTOMERS {
            assert_eq!(purchases(c).len(), purchases(c).len());
            let week = |from: i64| -> i64 {
                (from..from + 7)
                    .map(|d| {
                        (0..8)
                            .map(|s| calls(c, d, i8::try_from(d % 7 + 1).unwrap(), s))
                            .sum::<i64>()
                    })
                    .sum()
            };
            let (first, last) = (week(0), week(DAYS - 7));
            assert!(last > 0, "{} has traffic", c.slug);
            if c.growth >= 40 {
                assert!(last > first, "{} grows", c.slug);
            }
            if c.growth < 0 {
                assert!(last < first, "{} shrinks", c.slug);
            }
        }
    }
}
