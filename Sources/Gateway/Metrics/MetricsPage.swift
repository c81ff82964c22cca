import GatewaySecurity
import GatewayTracing
import HTTPServer
import Metrics
import Reactor
import ZeroMQ
import ZeroMQRPC

/// What `/metrics` says. Labels have few values: routes, statuses, codes, and what the configuration names.
struct MetricsPage {
  private var metrics: MetricsText
  private let report: ShardReport
  private let operations: Operations
  private let services: [ShardService]
  /// Where backends are is for this machine to know, and for who has a key; for others their endpoints have numbers.
  private let showsAddresses: Bool
  private let now: Instant

  /// The text of the page.
  var text: String { metrics.text }

  init(
    _ report: ShardReport, _ upstreams: UpstreamTable, _ operations: Operations, as format: MetricsText.Format,
    for request: GatewayRequest
  ) {
    metrics = MetricsText(format)
    self.report = report
    self.operations = operations
    services = upstreams.services
    showsAddresses = request.exchange.isServerLoopback || request.caller != nil
    now = request.beginning
    report.requests.write(to: &metrics)
    writeRequests()
    writeCalls()
    writeEndpoints()
    writeEvents()
    writeResources(request.exchange)
    writeSpans()
    metrics.end()
  }

  private mutating func writeRequests() {
    metrics.begin("zmq_gateway_requests_in_progress", .gauge, "Requests without an answer so far.")
    metrics.add(report.accounts.underWay - operations.requestsOfItsOwn)
    let calls = report.accounts.calls
    metrics.begin(
      "zmq_gateway_item_calls_total", .counter,
      "Calls that are no requests of their own and have ended: items of batches and of JSON-RPC, and those that nobody waits for."
    )
    for (outcome, count) in [
      ("answered", calls.answered), ("refused", calls.refused), ("failed", calls.failed),
      ("abandoned", calls.abandoned),
    ] { metrics.add(count, ("outcome", outcome)) }
    metrics.begin("zmq_gateway_item_calls_in_progress", .gauge, "Such calls without an end so far.")
    metrics.add(calls.underWay)
  }

  private mutating func writeCalls() {
    metrics.begin(
      "zmq_gateway_calls_total", .counter,
      "Requests of one call that have ended, by service, method (those that the configuration names, others together) and status."
    )
    for service in services { report.methods[service.name]?.write(of: service.name, to: &metrics) }
    write("zmq_gateway_calls_in_flight", "Calls that wait or are with a backend.") { $0.inFlight.count }
    write("zmq_gateway_calls_in_flight_limit", "As many as in-flight allows.") { $0.inFlight.limit }
    write("zmq_gateway_calls_queued", "Calls that wait for a backend with room.") { $0.waiting.count }
    write("zmq_gateway_calls_queued_limit", "As many as queue allows.") { $0.waiting.limit }
    let accounts = report.accounts
    write(
      "zmq_gateway_call_queue_timeouts_total", "Calls whose deadline passed before they were sent.",
      accounts.queueTimeouts)
    write("zmq_gateway_call_timeouts_total", "Calls whose deadline passed at a backend.", accounts.timeouts)
    metrics.begin(
      "zmq_gateway_calls_shed_total", .counter,
      "Calls that in-flight or queue had no room for, by service and the priority of their method.")
    for service in services {
      guard case .rpc = service.upstream else { continue }
      for priority in CallPriority.allCases {
        let count = report.shed[service.name]?[priority] ?? 0
        metrics.add(count, ("service", service.name), ("priority", priority.rawValue))
      }
    }
    write("zmq_gateway_late_replies_total", "Replies to calls that had ended.", accounts.lateReplies.count)
    write("zmq_gateway_calls_retried_total", "Calls that were sent once more.", report.retriedCalls)
    write("zmq_gateway_calls_hedged_total", "Calls of which a second copy was sent.", report.hedgedCalls)
    write(
      "zmq_gateway_connections_replaced_total", "Connections to backends replaced after timeouts.",
      report.replacedConnections)
    write("zmq_gateway_joined_calls_total", "Requests that waited for the call of another one.", accounts.joinedCalls)
    write(
      "zmq_gateway_kept_results_total", "Requests that were answered with a result that was kept.", accounts.keptResults
    )
  }

  /// A gauge of each service that is called.
  private mutating func write(_ name: StaticString, _ help: StaticString, _ value: (SharedService) -> Int) {
    metrics.begin(name, .gauge, help)
    for service in services {
      if case .rpc = service.upstream { metrics.add(value(service.shared), ("service", service.name)) }
    }
  }

  /// A counter of the whole gateway.
  private mutating func write(_ name: StaticString, _ help: StaticString, _ value: Int) {
    metrics.begin(name, .counter, help)
    metrics.add(value)
  }

  private mutating func writeEndpoints() {
    metrics.begin("zmq_gateway_endpoint_up", .gauge, "1 while an endpoint has a connection, on any thread; else 0.")
    forEachEndpoint { metrics, labels, isUp, _ in
      metrics.add(isUp ? 1 : 0, labels.service, labels.role, labels.endpoint)
    }
    metrics.begin(
      "zmq_gateway_endpoint_breaker_open", .gauge, "1 while the breaker of an endpoint is open, on any thread; else 0.")
    forEachEndpoint { metrics, labels, _, isOpen in
      if let isOpen { metrics.add(isOpen ? 1 : 0, labels.service, labels.role, labels.endpoint) }
    }
  }

  private typealias Labels = (service: MetricsText.Label, role: MetricsText.Label, endpoint: MetricsText.Label)

  private mutating func forEachEndpoint(_ body: (inout MetricsText, Labels, _ isUp: Bool, _ isOpen: Bool?) -> Void) {
    for service in services {
      let open = service.shared.openBreakers.endpoints
      for states in [service.shared.outgoing, service.shared.incoming] {
        guard let states else { continue }
        for (number, report) in states.reports.enumerated() {
          let endpoint = showsAddresses ? report.endpoint.description : "\(number + 1)"
          body(
            &metrics, (("service", service.name), ("role", states.role.rawValue), ("endpoint", endpoint)), report.isUp,
            states.role == .rpc ? open.contains(report.endpoint) : nil)
        }
      }
    }
  }

  private mutating func writeEvents() {
    metrics.begin("zmq_gateway_streams_open", .gauge, "Open streams.")
    for (service, streams) in report.streams.sorted(by: { $0.key < $1.key }) {
      metrics.add(streams, ("service", service))
    }
    let families: [(StaticString, StaticString, KeyPath<EventAccounts, Int>)] = [
      ("zmq_gateway_streams_total", "Streams that have opened.", \.streams),
      ("zmq_gateway_events_total", "Events that have come in, and what stands in the place of lost ones.", \.numbered),
      ("zmq_gateway_events_delivered_total", "Events that were handed to a stream's connection.", \.delivered),
      ("zmq_gateway_events_filtered_total", "Events that a stream had not asked for, or may not see.", \.filtered),
      ("zmq_gateway_events_lost_total", "Events in whose place a stream was told that they are missing.", \.lost),
    ]
    for (name, help, path) in families {
      metrics.begin(name, .counter, help)
      for (service, events) in report.accounts.eventsOfServices.sorted(by: { $0.key < $1.key }) {
        metrics.add(events[keyPath: path], ("service", service))
      }
    }
  }

  private mutating func writeLimits() {
    guard let quotas = report.limiter?.quotas else { return }
    metrics.begin(
      "zmq_gateway_limited_clients", .gauge, "Clients that limits tell apart, besides those of the configuration.")
    metrics.add(quotas.count)
    metrics.begin("zmq_gateway_limited_clients_limit", .gauge, "As many as limits.clients allows.")
    metrics.add(quotas.limit)
    write(
      "zmq_gateway_crowded_clients_total",
      "How often there was no room for a client, which then shared its limits with others.", quotas.crowded)
  }

  private mutating func writeSpans() {
    guard let spans = operations.spans else { return }
    let counters = spans.counters
    write("zmq_gateway_spans_exported_total", "Spans that the collector has taken.", counters.exported)
    metrics.begin("zmq_gateway_spans_dropped_total", .counter, "Spans that nobody gets, by why.")
    metrics.add(counters.droppedFromQueue, ("reason", "queue-full"))
    metrics.add(counters.refused, ("reason", "refused"))
    metrics.add(counters.undelivered, ("reason", "undelivered"))
    metrics.begin("zmq_gateway_spans_queued", .gauge, "Spans that wait, or are being sent.")
    metrics.add(spans.queued)
    metrics.begin("zmq_gateway_spans_queued_limit", .gauge, "As many as tracing.queue allows.")
    metrics.add(spans.options.queue)
  }

  private mutating func writeTLS() {
    guard let tls = operations.tls else { return }
    let record = tls.record
    metrics.begin(
      "zmq_gateway_tls_handshakes_total", .counter, "TLS handshakes that have ended, by whether the client got through."
    )
    metrics.add(record.completed, ("result", "success"))
    metrics.add(record.failed, ("result", "failure"))
    metrics.begin(
      "zmq_gateway_tls_certificate_end_seconds", .gauge,
      "When the certificate ends that is shown now, in seconds since the beginning of 1970.")
    metrics.add(Int(tls.credentials.end))
  }

  private mutating func writeResources(_ exchange: Exchange) {
    metrics.begin("zmq_gateway_memory_bytes", .gauge, "What http.limits.memory counts, all services together.")
    metrics.add(exchange.memory.count)
    metrics.begin("zmq_gateway_memory_limit_bytes", .gauge, "As much as http.limits.memory allows.")
    metrics.add(exchange.memory.limit)
    metrics.begin("zmq_gateway_service_memory_bytes", .gauge, "What each service has of it.")
    for service in services { metrics.add(service.shared.memory.count, ("service", service.name)) }
    metrics.begin(
      "zmq_gateway_connections_open", .gauge, "Open connections of clients; those beyond a limit are not counted.")
    metrics.add(report.openConnections?.count ?? 0)
    metrics.begin("zmq_gateway_connections_limit", .gauge, "As many as http.limits.connections allows, or open files.")
    metrics.add(report.openConnections?.limit ?? 0)
    writeLimits()
    if let tickets = report.tickets {
      metrics.begin("zmq_gateway_tickets", .gauge, "Tickets that were given in the time for which one is good.")
      metrics.add(tickets.count(at: now))
      metrics.begin("zmq_gateway_tickets_limit", .gauge, "As many as auth.tickets.limit allows.")
      metrics.add(tickets.limit)
    }
    report.decisions?.write(to: &metrics)
    writeTLS()
    let reloads = operations.reloads.record
    metrics.begin(
      "zmq_gateway_reloads_total", .counter, "Reloads of the configuration, by whether what was read is served.")
    metrics.add(reloads.succeeded, ("result", "success"))
    metrics.add(reloads.failed, ("result", "failure"))
    metrics.begin(
      "zmq_gateway_last_reload_successful", .gauge, "0 while the last reload is one that failed, else 1.")
    metrics.add(reloads.fault == nil ? 1 : 0)
    write(
      "zmq_gateway_log_lines_dropped_total",
      "Lines of requests that were not written, because standard error is read too slowly.",
      operations.accessLog?.dropped ?? 0)
    metrics.begin(
      "zmq_gateway_start_time_seconds", .gauge, "When the program started, in seconds since the beginning of 1970.")
    metrics.add(Int(operations.startedAt.milliseconds / 1_000))
    metrics.begin("zmq_gateway_info", .gauge, "Always 1, of the version that runs.")
    metrics.add(
      1, ("version", "\(ZeroMQ.version)"), ("libzmq", "\(ZeroMQ.libzmqVersion)"),
      ("libmicrohttpd", Server.libraryRelease))
  }
}
