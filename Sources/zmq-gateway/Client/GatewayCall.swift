import ArgumentParser
import FoundationEssentials

/// A call over HTTP, as `call`, `push` and `pub` make it.
struct GatewayCall {
  let url: GatewayURL
  let path: String
  let body: [UInt8]
  let timeout: Double?

  /// What a problem document tells of the call.
  private struct Told: Decodable {
    let sent: Bool?
  }

  /// Makes it, and prints the answer: a result on standard output, a problem on standard error, which ends the command. 69 says that the
  /// call did not leave the gateway, or that nobody answered.
  func run() throws {
    let json = "application/json"
    var headers = [(name: "Content-Type", value: json), (name: "Accept", value: json)]
    if let timeout { headers.append((name: "Request-Timeout", value: "\(timeout)")) }
    var answer: [UInt8] = []
    let head: HTTPRequest.Head
    do {
      head = try HTTPRequest(verb: "POST", target: path, headers: headers, body: body).send(to: url) { _, piece in
        answer += piece
        return true
      }
    } catch let unanswered as HTTPRequest.Unanswered {
      throw unanswered.exit(url)
    }
    let line = Data(answer + [UInt8(ascii: "\n")])
    guard head.isSuccess else {
      StandardStream.error.write(line)
      // A method's own exception may be a 503 too.
      let wasSent = (try? JSONDecoder().decode(Told.self, from: line))?.sent ?? false
      throw head.status == 503 && !wasSent ? ExitCode.unavailable : ExitCode.failure
    }
    StandardStream.output.write(line)
  }
}
