"""A Prometheus that is not there: storage, PromQL and the HTTP API, as Prometheus 2.42 answers.

Samples come in by `scrape.Scraper`, lie in `tsdb.Tsdb`, are evaluated by `promql.Engine` and served by
`http.prometheus_app`. It knows nothing of services, versions or clusters.
"""
