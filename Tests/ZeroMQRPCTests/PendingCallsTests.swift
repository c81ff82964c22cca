import Support
import Testing

@testable import ZeroMQRPC

@Suite("the table of pending calls", .inTurn(minutes: 3))
struct PendingCallsTests {
  @Test("numbers count up from one, and a call is found by its number once")
  func numbers() {
    var calls = PendingCalls<String>()
    #expect(calls.keep { "call \($0)" } == 1)
    #expect(calls.keep { "call \($0)" } == 2)
    #expect(calls.count == 2)
    #expect(calls[2] == "call 2")
    #expect(calls.remove(1) == "call 1")
    #expect(calls.remove(1) == nil)
    #expect(calls[1] == nil)
    #expect(calls.count == 1)
  }

  @Test("numbers wrap to zero, as aiozmq's do")
  func wrap() {
    var calls = PendingCalls<Int>(last: .max - 2)
    let numbers = (0..<4).map { call in calls.keep { _ in call } }
    #expect(numbers == [.max - 1, .max, 0, 1])
    for (call, number) in numbers.enumerated() { #expect(calls.remove(number) == call) }
  }

  @Test("a number whose place is taken is skipped")
  func skip() {
    var calls = PendingCalls<Int>()
    let old = calls.keep { _ in 0 }
    // Once round the table of 64 places.
    for _ in 0..<63 { _ = calls.remove(calls.keep { _ in 1 }) }
    let next = calls.keep { _ in 2 }
    #expect(next == old + 65)
    #expect(calls.remove(old) == 0)
    #expect(calls.remove(next) == 2)
  }

  @Test("a stale number with the place of another finds nothing")
  func stale() {
    var calls = PendingCalls<Int>()
    for _ in 0..<64 { _ = calls.remove(calls.keep { _ in 1 }) }
    let number = calls.keep { _ in 2 }
    #expect(calls.remove(number - 64) == nil)
    #expect(!calls.update(number - 64) { $0 = 3 })
    #expect(calls[number] == 2)
  }

  @Test("the table grows, and every call is still found", arguments: [31, 32, 33, 64, 65, 5_000])
  func growth(count: Int) {
    var calls = PendingCalls<UInt32>(last: .max - 20)
    let numbers = (0..<count).map { _ in calls.keep { $0 } }
    #expect(Set(numbers).count == count)
    #expect(calls.count == count)
    for number in numbers.reversed() { #expect(calls.remove(number) == number) }
    #expect(calls.count == 0)
  }

  @Test("a call is changed in place, and calls are found by what they hold")
  func update() {
    var calls = PendingCalls<Int>()
    let numbers = (0..<5).map { call in calls.keep { _ in call } }
    #expect(calls.update(numbers[2]) { $0 = 10 })
    #expect(!calls.update(99) { $0 = 10 })
    #expect(calls.numbers { $0 >= 4 } == [numbers[2], numbers[4]])
  }
}

extension PendingCalls {
  /// Keeps a call made for the number it gets.
  fileprivate mutating func keep(_ make: (UInt32) -> Call) -> UInt32 {
    let number = nextNumber()
    insert(number, make(number))
    return number
  }
}
