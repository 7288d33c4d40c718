use koubou::route::Router;
use koubou::route::sensitivity::SensitivityScanner;
use koubou::task::wire;
use std::time::Instant;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).unwrap();
    let patterns = ["password", "secret", "api_key", "token", "private_key"].map(str::to_owned);
    let router =
        Router { scanner: SensitivityScanner::new(&patterns).unwrap(), ..Router::default() };
    let tasks: Vec<_> = text.lines().filter_map(|l| wire::read("x", l.as_bytes()).ok()).collect();
    for round in 0..3 {
        let mut times: Vec<(f64, usize)> = tasks
            .iter()
            .enumerate()
            .map(|(n, t)| {
                let b = Instant::now();
                std::hint::black_box(router.assess(t, &[]));
                (b.elapsed().as_secs_f64() * 1e3, n)
            })
            .collect();
        let total: f64 = times.iter().map(|t| t.0).sum();
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
        println!(
            "round {round}: n {} mean {:.3} p50 {:.3} p90 {:.3} p99 {:.3} max {:.3} (task {})",
            times.len(),
            total / times.len() as f64,
            at(0.5).0,
            at(0.9).0,
            at(0.99).0,
            at(1.0).0,
            at(1.0).1
        );
    }
}
