#include "interchange/script_pickles.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "interchange/pickle_opcodes.h"
#include "interchange/zip_archive.h"
#include "whence/core/error.h"

namespace whence::interchange {
namespace {

constexpr int kDeepest = 1000;        ///< of objects in one another; their destructors call one another
constexpr std::int64_t kWidest = 16;  ///< bytes of the widest number, complex double

/// An object as far as the checks need it. Only tuples keep their items: they name storages.
struct Item {
  std::optional<std::int64_t> number;
  std::string_view text;
  std::vector<std::shared_ptr<Item>> items;
  int depth = 0;
};
using Value = std::shared_ptr<Item>;

std::int64_t width_of(std::string_view storage) {
  if (storage.starts_with("Byte") || storage.starts_with("Char") || storage.starts_with("Bool")) return 1;
  if (storage.starts_with("Half") || storage.starts_with("BFloat16") || storage.starts_with("Short"))
    return 2;
  if (storage.starts_with("Float") || storage.starts_with("Int") || storage.starts_with("QInt32")) return 4;
  if (storage.starts_with("Double") || storage.starts_with("Long")) return 8;
  return storage.starts_with("Complex") ? kWidest : 1;
}

class PickleWalk {
 public:
  /// `storages`: the begin of their entries' names, "archive/data/".
  PickleWalk(const ZipArchive& archive, std::string storages, std::string_view pickle)
      : archive_(archive), storages_(std::move(storages)), rest_(pickle), length_(pickle.size()) {}

  void run() {
    while (step()) {
    }
  }

 private:
  [[noreturn]] void damaged(std::string_view what) const {
    fail("{} is damaged: its pickled objects {}; get it again, or export the model again",
         archive_.path().string(), what);
  }

  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size()) damaged("end early");
    const std::string_view piece = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return piece;
  }

  std::uint64_t take_number(std::size_t bytes) {
    const std::string_view piece = take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(piece[i]);
    return value;
  }

  std::string_view take_line() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) damaged("end early");
    const std::string_view line = take(end);
    take(1);
    return line;
  }

  Item& push() { return *stack_.emplace_back(std::make_shared<Item>()); }

  Value pop() {
    if (stack_.empty()) damaged("are out of order");
    Value value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }

  std::vector<Value> pop(std::size_t count) {
    if (count > stack_.size()) damaged("are out of order");
    std::vector<Value> values(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }

  std::vector<Value> pop_marked() {
    if (marks_.empty() || marks_.back() > stack_.size()) damaged("are out of order");
    const std::size_t start = marks_.back();
    marks_.pop_back();
    return pop(stack_.size() - start);
  }

  void deepen(Item& whole, const std::vector<Value>& parts) const {
    for (const Value& part : parts) whole.depth = std::max(whole.depth, part->depth + 1);
    if (whole.depth > kDeepest) damaged("lie in one another too deeply");
  }

  void push_tuple(std::vector<Value> items) {
    Item& tuple = push();
    deepen(tuple, items);
    tuple.items = std::move(items);
  }

  void fill(const std::vector<Value>& parts, bool pairs) {
    if (pairs && parts.size() % 2 != 0) damaged("have a key without a value");
    if (stack_.empty()) damaged("are out of order");
    deepen(*stack_.back(), parts);
  }

  void remember(std::uint64_t place) {
    if (stack_.empty() || place > length_) damaged("name one that is not there");
    if (place >= memo_.size()) memo_.resize(place + 1);
    memo_[place] = stack_.back();
  }

  void recall(std::uint64_t place) {
    if (place >= memo_.size() || !memo_[place]) damaged("name one that is not there");
    stack_.push_back(memo_[place]);
  }

  /// ("storage", its type, its key, where it lay, how many numbers)
  void load_storage() {
    const Value id = pop();
    push();
    if (id->items.size() < 5 || !id->items[4]->number) return;  // LibTorch refuses it
    const std::int64_t count = *id->items[4]->number;
    const std::uint64_t bytes = archive_.size(storages_ + std::string(id->items[2]->text));
    const std::int64_t width = width_of(id->items[1]->text);
    if (count < 0 ||
        (count > 0 && static_cast<std::uint64_t>(count) > bytes / static_cast<std::uint64_t>(width)))
      damaged("have a tensor that is larger than its numbers");
  }

  /// false where the pickle ends, or LibTorch will refuse it.
  bool step() {
    if (rest_.empty()) return false;
    const auto operation = static_cast<std::uint8_t>(take(1).front());
    switch (operation) {
      case kProtocol:
        take(1);
        return true;
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kPut1:
      case kPut4:
        remember(take_number(operation == kPut1 ? 1 : 4));
        return true;
      case kGet1:
      case kGet4:
        recall(take_number(operation == kGet1 ? 1 : 4));
        return true;
      case kPersistent:
        load_storage();
        return true;
      case kNewObject:
        pop();
        return true;
      case kReduce:
      case kBuild: {  // a function and its arguments become one object
        const std::vector<Value> parts = pop(2);
        deepen(push(), parts);
        return true;
      }
      default:
        return read_container(operation) || read_value(operation);
    }
  }

  bool read_container(std::uint8_t operation) {
    switch (operation) {
      case kTuple:
        push_tuple(pop_marked());
        return true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        push_tuple(pop(static_cast<std::size_t>(operation - kTuple1 + 1)));
        return true;
      case kAppends:
      case kSetItems:
        fill(pop_marked(), operation == kSetItems);
        return true;
      case kAppend:
        fill(pop(1), false);
        return true;
      case kSetItem:
        fill(pop(2), true);
        return true;
      case kList:
      case kDict: {
        const std::vector<Value> parts = pop_marked();
        push();
        fill(parts, operation == kDict);
        return true;
      }
      default:
        return false;
    }
  }

  bool read_value(std::uint8_t operation) {
    switch (operation) {
      case kNone:
      case kTrue:
      case kFalse:
      case kEmptyTuple:
      case kEmptyList:
      case kEmptyDict:
        push();
        return true;
      case kReal:
        take(8);
        push();
        return true;
      case kInt1:
      case kInt2:
        push().number = static_cast<std::int64_t>(take_number(operation == kInt1 ? 1 : 2));
        return true;
      case kInt4:
        push().number = static_cast<std::int32_t>(take_number(4));
        return true;
      case kLong:
        if (take_number(1) != 8) return false;
        push().number = static_cast<std::int64_t>(take_number(8));
        return true;
      case kText4:
        push().text = take(take_number(4));
        return true;
      case kGlobal: {
        take_line();
        const std::string_view name = take_line();
        push().text = name;
        return true;
      }
      default:
        return false;
    }
  }

  const ZipArchive& archive_;
  std::string storages_;
  std::string_view rest_;
  std::size_t length_;
  std::vector<Value> stack_, memo_;
  std::vector<std::size_t> marks_;
};

/// Archives of torch.jit.trace have another one, whose storages are not there.
bool is_read(std::string_view entry) {
  return entry.ends_with("/data.pkl") || entry.ends_with("/constants.pkl") || entry.ends_with(".debug_pkl");
}

}  // namespace

void check_script_pickles(const std::filesystem::path& path) {
  const ZipArchive archive(path);
  for (const std::string& entry : archive.find("", "pkl")) {
    if (!is_read(entry)) continue;
    const std::string pickle = archive.read(entry);
    const std::string folder = entry.substr(0, entry.rfind('.')) + "/";
    PickleWalk(archive, folder, pickle).run();
  }
}

}  // namespace whence::interchange
