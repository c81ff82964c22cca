import HTTPServer
import Reactor

/// `POST /-/reload`: has the gateway read its configuration again, and answers when that is served, or why it is not.
struct ReloadResponder: Responder {
  let operations: Operations

  var methods: HTTPMethod.Set { .submit }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    guard request.exchange.isServerLoopback else {
      throw Problem(
        .permissionDenied,
        "A reload is asked for from the gateway's own machine: at an address of loopback, or by SIGHUP.")
    }
    guard let reload = operations.reload, let reactor = request.reactor else {
      throw Problem(.draining, "The gateway is starting, or stopping.")
    }
    let pending = PendingReload(request)
    request.waits(for: pending)
    // Safe: it is touched on the shard's thread alone, by which it is also let go.
    nonisolated(unsafe) let kept = pending
    Task {
      let result: Result<ReloadOutcome, any Error>
      do { result = .success(try await reload()) } catch { result = .failure(error) }
      reactor.submit { kept.ended(result) }
    }
  }
}

/// A request that waits for a reload.
private final class PendingReload: PendingWork {
  /// Who is answered; nil when that is done, or when the client has left.
  private var request: GatewayRequest?

  init(_ request: GatewayRequest) { self.request = request }

  func ended(_ result: Result<ReloadOutcome, any Error>) {
    guard let request = request.take() else { return }
    switch result {
    case .success(let outcome):
      var json = JSONWriter()
      json.open("{")
      json.append(outcome)
      json.close("}")
      request.answer(200, "application/json", json.bytes)
    case .failure(let error): request.answer(Problem(.reloadFailed, "What was served before is served still. \(error)"))
    }
  }

  func cancel() { request = nil }
}

extension JSONWriter {
  /// Members that tell what a reload has changed.
  mutating func append(_ outcome: ReloadOutcome) {
    for (name, list) in [
      ("opened", outcome.opened), ("altered", outcome.altered), ("removed", outcome.removed),
      ("changed", outcome.changed), ("needsRestart", outcome.fixed),
    ] {
      key(name)
      open("[")
      for item in list { string(item) }
      close("]")
    }
  }
}
