import Support
import Testing
import ZeroMQRPC

@testable import Gateway

@Suite("why a backend was silent")
struct DiagnosisTests {
  private func diagnosis(
    waited: Duration = .seconds(2), connected: Duration? = .seconds(60), answered: Int = 0, p95: Duration? = nil,
    queued: Duration = .zero, isGarbled: Bool = false
  ) -> Diagnosis {
    let silence = Silence(
      queued: queued, waited: waited, connected: connected, answeredMeanwhile: answered, isGarbled: isGarbled)
    return Diagnosis(silence, p95: p95, now: 1_777_777_777)
  }

  @Test("nothing came from the backend, and the method is usually done by then")
  func stalled() {
    #expect(diagnosis().verdict == .stalled)
    #expect(diagnosis(p95: .milliseconds(1_999)).verdict == .stalled)
  }

  @Test("what came was no reply, and nothing else did")
  func garbled() {
    #expect(diagnosis(isGarbled: true).verdict == .garbled)
    #expect(diagnosis(answered: 1, isGarbled: true).verdict == .slow)
  }

  @Test("the method usually takes as long, whatever else came")
  func slow() {
    #expect(diagnosis(p95: .seconds(2)).verdict == .slow)
    #expect(diagnosis(answered: 5, p95: .seconds(3)).verdict == .slow)
    #expect(diagnosis(answered: 5, p95: .milliseconds(700)).verdict == .slow)
    #expect(diagnosis(answered: 1).verdict == .slow)
  }

  @Test("others were answered, and the method is usually done in a third of the time")
  func dropped() {
    #expect(diagnosis(answered: 1, p95: .milliseconds(666)).verdict == .dropped)
    #expect(diagnosis(answered: 1, p95: .milliseconds(667)).verdict == .slow)
  }

  @Test("the connection is younger than the call, or stands no more")
  func restarted() {
    #expect(diagnosis(connected: .milliseconds(1_999), answered: 9).verdict == .restarted)
    #expect(diagnosis(connected: nil).verdict == .restarted)
    #expect(diagnosis(connected: .seconds(2)).verdict == .stalled)
  }

  @Test("the document has all that is known")
  func document() {
    let known = diagnosis(answered: 3, p95: .microseconds(12_300), queued: .milliseconds(1_042))
    #expect(
      String(decoding: known.json, as: UTF8.self)
        == #"{"connectedSince":"2026-05-03T03:08:37Z","answeredMeanwhile":3,"p95":0.012,"queued":1.042,"#
        + #""verdict":"probably-dropped"}"#)
    #expect(known.words == " It waited 1.042 s in the gateway's queue before it was sent, and 2.000 s for the reply.")
    let unknown = diagnosis(connected: nil)
    #expect(
      String(decoding: unknown.json, as: UTF8.self)
        == #"{"connectedSince":null,"answeredMeanwhile":0,"p95":null,"queued":0.000,"verdict":"backend-restarted"}"#)
    #expect(unknown.words == "")
  }
}
