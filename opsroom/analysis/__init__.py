"""The judge: what we think of a canary, from aligned arrays of both arms to a verdict a person can check.

Pure: arrays in, verdicts out. It must not know where samples come from, what is done about a verdict, or how it reads.

The question
    Is the canary worse than the stable pods *at the same minutes*, by more than anybody would shrug at? It is asked
    again after every step, so an ordinary test, valid for one look, would raise false alarms by the dozen. Two things
    are weighed apart: *harm* must be shown before the score passes 0.8, *safety* must be earned, by watching, before
    it passes 0.2. Between them the judge says that it does not know yet; without data it says so for ever.

One metric (latency, CPU, memory, custom; ``pairing``, ``noise``, ``ratio``)
    x_t = log canary_t - level_t - beta * (log baseline_t - level_t): what both arms share cancels; beta, the part of
    the baseline's movement that the canary follows, is learned (a control variate), because full pairing doubles
    noise that is not shared; a movement that lasts is no noise and is subtracted whole. A p99 from few requests is
    too low; the bias, by number of requests, is taken off.
    Innocent are x up to the margin of the budget, and at first a warm-up allowance that fades by 1/e in some steps.
    The excess e_t over that is whitened with a shrunk autocorrelation phi and scaled by s, from winsorised first
    differences: y_t = (e_t - phi e_(t-1)) / (s sqrt(1 - phi^2)); then it is clipped. A bet of size b wins
    exp(b y - b^2 / 2): mean at most 1 where the clipped y has mean at most 0 and a variance as estimated. Wealth
    restarts at rate w,
        E_t = ((1 - w) E_(t-1) + w) exp(b y_t - b^2 / 2),
    which is the likelihood ratio of "this harm began at some step so far" against "it did not" (Shiryaev's statistic
    with a geometric prior). A second row asks the same of the canary against its own past (``change``), a third how
    many of the far too high steps are the canary's: half of them, where the arms are alike (``spikes``).

Errors (``counts``)
    Given the errors of one step, the canary's part of them is binomial with q = its share of the requests, whatever
    the common and moving error rate. A bet on "r times as likely" wins (r^kc / (1 - q + q r)^k) ^ (1 / dispersion); the
    dispersion is learned from clumps in the baseline, and an innocent rise in points is granted. Where nobody counts
    requests, their number is read off the baseline's rates (``uncounted``).

All metrics (``harm``)
    H = log of the mean of the metrics' wealth; a mean of such ratios is one, dependent or not. One row more bets on
    all metrics at once. Level differences of CPU between arms that are not seen to share their load are withheld.
    Guards (crash loop, lost traffic) stand beside the statistics.

Score (``scoring``)
    A sigmoid in H through 0.8 at the mark for rolling back and 0.2 at the mark for promoting, which rises with
    patience; never below 0.25 before the watch is over, with less than half the samples, with too few requests, or
    while the 95 % interval of a metric lies beyond its margin on arms that are seen to share their load.

What is guaranteed, and when
    With the true scale and autocorrelation, independent innovations that are sub-Gaussian after clipping, and a
    canary within the margins, the mean of E is at most 1 at each step, so by Markov P(H > h) <= exp(-h) at any one
    step, whatever was looked at before. Over a whole watch this is not a theorem: scale and autocorrelation are
    estimated, and restarts keep the wealth alive. So the mark is *calibrated*: on labelled outcomes, and checked by
    simulation to stay within the budget for 60 looks at independent and at AR(1) 0.6 noise (``tests/analysis/
    test_false_alarms.py``). Beyond that it fails gently: AR(1) 0.6 noise with a standard deviation of 0.25 an arm
    raises false rollbacks to some per cent. It holds for no arms that differ for another reason than the change:
    unlike replicas, history from a busier day; ``Window.concurrent`` False asks for more, it cannot make that right.
    Scores are causal, deterministic, the same in batch, one by one, or from a stored window, and monotone: the same
    factor more on the canary's latency or CPU, or more errors, never lowers one.

The learned layer (``features``, ``learn``, ``calibration``)
    scikit-learn puts the marks where recorded outcomes say they belong. Gradient boosting on the features of the
    first layer is compared at each ``opsroom learn`` on held-out sources; on real systems that it had not seen it was
    worse than the plain sigmoid each time (log loss 0.48, 0.18, 0.37 against 0.30, 0.16, 0.25): it decides nothing.

Sources
    Shiryaev 1963; Howard, Ramdas, McAuliffe, Sekhon 2021 (time-uniform bounds); Ramdas, Grünwald, Vovk, Shafer,
    arXiv 2210.01948 (betting); Lindon, Malek, arXiv 2011.03567 (counts, conditional); Lindon et al., arXiv 2205.14762
    (canary tests at Netflix); Shin, Ramdas, Rinaldo, arXiv 2203.03532 (e-detectors); Kendall 1954 (bias of the
    autocorrelation); Li et al., NSDI 2020 (Gandalf: votes and vetoes); Kayenta (Mann-Whitney, what we are measured by).
"""
