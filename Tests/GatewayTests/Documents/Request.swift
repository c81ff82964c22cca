import Support

/// A request that a test sends, changed step by step from one that succeeds.
struct Request: Sendable {
  var verb: String
  var target: String
  var headers: [String: String] = [:]
  var body: String?

  init(_ verb: String, _ target: String, _ body: String? = nil) {
    self.verb = verb
    self.target = target
    self.body = body
    if body != nil { headers["Content-Type"] = "application/json" }
  }

  /// A good request for each operation of the document.
  static let all: [String: Request] = [
    "call": Request("POST", "/rpc/calc/add", "[2,3]"),
    "callSafe": Request("GET", "/rpc/calc/add?a:=2&b:=3"),
    "callSafeHead": Request("HEAD", "/rpc/calc/add?a:=2&b:=3"),
    "callOptions": Request("OPTIONS", "/rpc/calc/add"),
    "batch": Request("POST", "/batch", #"[{"service":"calc","method":"add","args":[2,3]}]"#),
    "ticket": Request("POST", "/tickets", #"{"service":"news","topics":["clock"]}"#),
    "ticketOptions": Request("OPTIONS", "/tickets"),
    "batchOptions": Request("OPTIONS", "/batch"),
    "outcome": Request("GET", "/calls/n7p9Ga2GH20HMhrD8IpZiC"),
    "outcomeHead": Request("HEAD", "/calls/n7p9Ga2GH20HMhrD8IpZiC"),
    "forget": Request("DELETE", "/calls/n7p9Ga2GH20HMhrD8IpZiC"),
    "outcomeOptions": Request("OPTIONS", "/calls/n7p9Ga2GH20HMhrD8IpZiC"),
    "jsonrpc": Request("POST", "/jsonrpc/calc", #"{"jsonrpc":"2.0","method":"add","params":[2,3],"id":1}"#),
    "jsonrpcOptions": Request("OPTIONS", "/jsonrpc/calc"),
    "push": Request("POST", "/push/jobs/resize", #"["a.png"]"#),
    "pushOptions": Request("OPTIONS", "/push/jobs/resize"),
    "publish": Request("POST", "/pub/news/chat/say", #"["hello"]"#),
    "publishOptions": Request("OPTIONS", "/pub/news/chat/say"),
    "subscribe": Request("GET", "/sub/news?topic=clock"),
    "subscribeHead": Request("HEAD", "/sub/news?topic=clock"),
    "subscribeOptions": Request("OPTIONS", "/sub/news"),
    "lastEvent": Request("GET", "/sub/news/last?topic=clock"),
    "lastEventHead": Request("HEAD", "/sub/news/last?topic=clock"),
    "lastEventOptions": Request("OPTIONS", "/sub/news/last"),
    "topics": Request("GET", "/sub/news/topics"),
    "topicsHead": Request("HEAD", "/sub/news/topics"),
    "topicsOptions": Request("OPTIONS", "/sub/news/topics"),
    "live": Request("GET", "/live"),
    "liveHead": Request("HEAD", "/live"),
    "liveOptions": Request("OPTIONS", "/live"),
    "ready": Request("GET", "/ready?verbose"),
    "readyHead": Request("HEAD", "/ready?verbose"),
    "readyOptions": Request("OPTIONS", "/ready"),
    "metrics": Request("GET", "/metrics"),
    "metricsHead": Request("HEAD", "/metrics"),
    "metricsOptions": Request("OPTIONS", "/metrics"),
    "status": Request("GET", "/status"),
    "statusHead": Request("HEAD", "/status"),
    "statusOptions": Request("OPTIONS", "/status"),
    "limits": Request("GET", "/-/limits"),
    "limitsHead": Request("HEAD", "/-/limits"),
    "limitsOptions": Request("OPTIONS", "/-/limits"),
    "openapiJSON": Request("GET", "/openapi.json"),
    "openapiJSONHead": Request("HEAD", "/openapi.json"),
    "openapiJSONOptions": Request("OPTIONS", "/openapi.json"),
    "openapiYAML": Request("GET", "/openapi.yaml"),
    "openapiYAMLHead": Request("HEAD", "/openapi.yaml"),
    "openapiYAMLOptions": Request("OPTIONS", "/openapi.yaml"),
    "home": Request("GET", "/"),
    "homeHead": Request("HEAD", "/"),
    "homeOptions": Request("OPTIONS", "/"),
    "problems": Request("GET", "/problems"),
    "problemsHead": Request("HEAD", "/problems"),
    "problemsOptions": Request("OPTIONS", "/problems"),
    "problem": Request("GET", "/problems/timeout"),
    "problemHead": Request("HEAD", "/problems/timeout"),
    "problemOptions": Request("OPTIONS", "/problems/timeout"),
  ]

  func with(_ header: String, _ value: String) -> Request {
    var request = self
    request.headers[header] = value
    return request
  }

  func with(_ headers: [String: String]) -> Request { headers.reduce(self) { $0.with($1.key, $1.value) } }

  func with(body: String?) -> Request {
    var request = self
    request.body = body
    return request
  }

  /// With more in the query.
  func asking(_ text: String) -> Request {
    var request = self
    request.target += (target.contains("?") ? "&" : "?") + text
    return request
  }

  /// At another service.
  func at(service: String) -> Request { replacing(segment: 2, by: service) }

  /// At another method, or whatever ends the path.
  func at(last: String) -> Request { replacing(segment: nil, by: last) }

  /// Another method of a request-reply service, with texts as its arguments.
  func calling(_ service: String, _ method: String, _ arguments: String...) -> Request {
    var request = self
    request.target = "/rpc/\(service)/\(method)"
    guard verb != "POST" else { return request.with(body: JSON.array(arguments.map { .string($0) }).description) }
    return arguments.reduce(request) { $0.asking("arg=\($1)") }
  }

  func sent(to gateway: LiveGateway) async throws -> HTTPReply {
    try await gateway.http.send(verb, target, headers: headers, body: body?.bytes)
  }

  private func replacing(segment: Int?, by text: String) -> Request {
    var request = self
    let parts = target.split(separator: "?", maxSplits: 1)
    var segments = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    segments[segment ?? segments.count - 1] = text[...]
    request.target = segments.joined(separator: "/") + (parts.count > 1 ? "?\(parts[1])" : "")
    return request
  }
}
