import ArgumentParser
import FoundationEssentials
import Gateway
import Glibc
import Reactor

/// Many streams of the same events, which one thread reads.
final class StreamFan {
  private struct Stream {
    let descriptor: CInt
    var rest: [UInt8] = []
  }

  private var streams: [Stream] = []
  private var polled: [pollfd] = []

  /// Opens them; throws when one is refused. Blocks until each has begun.
  init(_ url: GatewayURL, _ target: String, count: Int) throws {
    do throws(TooFewDescriptors) { try TooFewDescriptors.check(needed: count + 64) } catch {
      throw fail("\(error)", .unavailable)
    }
    var request = "GET \(url.prefix)\(target) HTTP/1.0\r\nHost: \(url.authority)\r\nAccept: application/x-ndjson\r\n"
    if let key = HTTPRequest.key { request += "Authorization: Bearer \(key)\r\n" }
    let bytes = Array("\(request)\r\n".utf8)
    for number in 0..<count {
      var answer: [UInt8] = []
      let opened: CInt? = url.withConnection(within: .seconds(30)) { descriptor in
        guard bytes.withUnsafeBytes({ send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }) == bytes.count
        else { return nil }
        answer = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        // The line `open` comes first.
        while answer.firstRange(of: Array("\"event\":\"open\"".utf8)) == nil {
          let count = recv(descriptor, &piece, piece.count, 0)
          guard count > 0 else { return nil }
          answer += piece[..<count]
        }
        // The one that was lent is closed.
        return dup(descriptor)
      }
      guard let opened, opened >= 0 else {
        close()
        throw fail("\(url): stream \(number + 1) of \(count) was refused: \(Self.reason(answer))", .unavailable)
      }
      _ = fcntl(opened, F_SETFL, fcntl(opened, F_GETFL) | O_NONBLOCK)
      streams.append(Stream(descriptor: opened))
      polled.append(pollfd(fd: opened, events: Int16(POLLIN), revents: 0))
    }
  }

  deinit { close() }

  /// What a problem document tells people.
  private struct Told: Decodable {
    let status: Int
    let code: String
    let detail: String?
  }

  /// Why an answer is no stream.
  private static func reason(_ answer: [UInt8]) -> String {
    guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return "nobody answers" }
    if let told = try? JSONDecoder().decode(Told.self, from: Data(answer[end.upperBound...])) {
      return "\(told.status) \(told.code)" + (told.detail.map { ": \($0)" } ?? "")
    }
    return String(decoding: answer.prefix { $0 != 0x0D }, as: UTF8.self)
  }

  /// Reads what comes, for at most so many milliseconds, and counts the events in it.
  func read(within milliseconds: CInt, into report: inout BenchReport) {
    guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return }
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    for index in polled.indices where polled[index].revents != 0 {
      let count = recv(polled[index].fd, &piece, piece.count, 0)
      if count > 0 {
        let now = Instant.monotonic().nanoseconds
        streams[index].rest += piece[..<count]
        while let end = streams[index].rest.firstIndex(of: UInt8(ascii: "\n")) {
          if let time = Self.time(streams[index].rest[..<end]) { report.latencies.record(now - time) }
          streams[index].rest.removeSubrange(...end)
        }
      } else if count == 0 || errno != EAGAIN && errno != EINTR {
        report.fail("stream ended")
        polled[index].fd = -1
      }
    }
  }

  func close() {
    for stream in streams { Glibc.close(stream.descriptor) }
    (streams, polled) = ([], [])
  }

  /// The argument of an event; nil for other lines.
  private static func time(_ line: ArraySlice<UInt8>) -> Int64? {
    guard let start = line.firstRange(of: Array("\"args\":[".utf8)) else { return nil }
    let digits = line[start.upperBound...].prefix { 0x30...0x39 ~= $0 }
    return Int64(String(decoding: digits, as: UTF8.self))
  }
}
