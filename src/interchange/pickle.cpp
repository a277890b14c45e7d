#include "interchange/pickle.h"

#include <bit>
#include <cstring>

#include "interchange/pickle_opcodes.h"
#include "interchange/pt2_tensors.h"
#include "whence/core/error.h"

namespace whence::interchange {
namespace {

const std::map<std::string, at::ScalarType>& storage_types() {
  static const std::map<std::string, at::ScalarType> types = {
      {"torch.FloatStorage", at::kFloat}, {"torch.DoubleStorage", at::kDouble},
      {"torch.HalfStorage", at::kHalf},   {"torch.BFloat16Storage", at::kBFloat16},
      {"torch.LongStorage", at::kLong},   {"torch.IntStorage", at::kInt},
      {"torch.ShortStorage", at::kShort}, {"torch.CharStorage", at::kChar},
      {"torch.ByteStorage", at::kByte},   {"torch.BoolStorage", at::kBool}};
  return types;
}

}  // namespace

void TensorUnpickler::damaged(const char* what) const {
  fail("{} is damaged: its pickled weights {}; get it again, or save it with PyTorch 2.9 or later", file_,
       what);
}

std::string_view TensorUnpickler::take(std::size_t bytes) {
  if (bytes > rest_.size()) damaged("end early");
  const std::string_view piece = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return piece;
}

std::uint64_t TensorUnpickler::take_number(std::size_t bytes) {
  const std::string_view piece = take(bytes);
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(piece[i]);
  return value;
}

std::string TensorUnpickler::take_line() {
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) damaged("end early");
  const std::string line(take(end));
  take(1);
  return line;
}

TensorUnpickler::Object* TensorUnpickler::make(Kind kind) {
  Object* object = &objects_.emplace_back();
  object->kind = kind;
  stack_.push_back(object);
  return object;
}

TensorUnpickler::Object* TensorUnpickler::number(std::int64_t value) {
  Object* object = make(Kind::number);
  object->number = value;
  return object;
}

TensorUnpickler::Object* TensorUnpickler::top() {
  if (stack_.empty() || stack_.back()->kind == Kind::mark) damaged("are out of order");
  return stack_.back();
}

TensorUnpickler::Object* TensorUnpickler::pop() {
  Object* object = top();
  stack_.pop_back();
  return object;
}

std::vector<TensorUnpickler::Object*> TensorUnpickler::pop_marked() {
  std::vector<Object*> items;
  while (!stack_.empty() && stack_.back()->kind != Kind::mark) {
    items.push_back(stack_.back());
    stack_.pop_back();
  }
  if (stack_.empty()) damaged("are out of order");
  stack_.pop_back();
  std::reverse(items.begin(), items.end());
  return items;
}

void TensorUnpickler::push_tuple(std::vector<Object*> items) { make(Kind::list)->items = std::move(items); }

void TensorUnpickler::recall(std::size_t place) {
  const auto found = memo_.find(place);
  if (found == memo_.end()) damaged("are out of order");
  stack_.push_back(found->second);
}

/// ("storage", its type, its key, where it lay, how many numbers)
void TensorUnpickler::load_storage() {
  const Object* id = pop();
  if (id->items.size() != 5 || id->items[1]->kind != Kind::name || id->items[2]->kind != Kind::text)
    damaged("name a storage in an unknown way");
  const auto type = storage_types().find(id->items[1]->text);
  if (type == storage_types().end())
    fail("{} holds numbers as {}, which is not read; export the model in float32", file_, id->items[1]->text);
  Object* storage = make(Kind::storage);
  storage->text = id->items[2]->text;
  storage->type = type->second;
}

/// (storage, offset, sizes, strides, ...)
at::Tensor TensorUnpickler::tensor_of(const std::vector<Object*>& arguments) {
  if (arguments.size() < 4 || arguments[0]->kind != Kind::storage || arguments[1]->kind != Kind::number)
    damaged("hold a tensor of an unknown form");
  const auto list = [&](const Object* object) {
    std::vector<std::int64_t> numbers;
    for (const Object* item : object->items) {
      if (item->kind != Kind::number) damaged("hold a tensor of an unknown form");
      numbers.push_back(item->number);
    }
    return numbers;
  };
  const std::string& key = arguments[0]->text;
  auto found = storages_.find(key);
  if (found == storages_.end()) {
    found = storages_.emplace(key, storage_(key)).first;
    numbers_left_ += 4 * static_cast<std::int64_t>(found->second.size());
  }
  at::Tensor tensor =
      tensor_in(found->second, arguments[0]->type,
                {list(arguments[2]), list(arguments[3]), arguments[1]->number}, file_, "a weight");
  numbers_left_ -= tensor.numel();
  if (numbers_left_ < 0) damaged("repeat one another too often");
  return tensor;
}

void TensorUnpickler::call() {
  const Object* arguments = pop();
  const Object* function = pop();
  if (function->kind != Kind::name) damaged("are out of order");
  const std::string& name = function->text;
  if (name == "collections.OrderedDict") {
    make(Kind::dict);
  } else if (name == "torch._utils._rebuild_tensor_v2") {
    const at::Tensor tensor = tensor_of(arguments->items);
    make(Kind::tensor)->tensor = tensor;
  } else if (name.starts_with("torch._utils._rebuild_parameter") && !arguments->items.empty()) {
    stack_.push_back(arguments->items.front());
  } else {
    fail("{} holds a Python object ({}), which is not read; export a model of plain tensors", file_, name);
  }
}

void TensorUnpickler::read_container(std::uint8_t operation) {
  std::vector<Object*> items;
  switch (operation) {
    case kTuple:
      return push_tuple(pop_marked());
    case kTuple1:
    case kTuple2:
    case kTuple3:
      for (int i = operation - kTuple1; i >= 0; --i) items.insert(items.begin(), pop());
      return push_tuple(std::move(items));
    case kAppend:
    case kSetItem:
      for (int i = operation == kAppend ? 0 : 1; i >= 0; --i) items.insert(items.begin(), pop());
      break;
    case kAppends:
    case kSetItems:
      items = pop_marked();
      break;
    default:
      damaged("hold what no tensors need");
  }
  Object* whole = top();
  const bool dict = operation == kSetItem || operation == kSetItems;
  if (whole->kind != (dict ? Kind::dict : Kind::list) || (dict && items.size() % 2 != 0))
    damaged("are out of order");
  whole->items.insert(whole->items.end(), items.begin(), items.end());
}

void TensorUnpickler::read_value(std::uint8_t operation) {
  switch (operation) {
    case kNone:
      make(Kind::none);
      return;
    case kTrue:
    case kFalse:
      number(operation == kTrue ? 1 : 0);
      return;
    case kInt1:
    case kInt2:
      number(static_cast<std::int64_t>(take_number(operation == kInt1 ? 1 : 2)));
      return;
    case kInt4:
      number(static_cast<std::int32_t>(take_number(4)));
      return;
    case kLong: {
      const std::size_t width = take_number(1);
      if (width > 8) damaged("hold a number of more than 64 bits");
      const std::uint64_t bits = take_number(width);
      const int shift = static_cast<int>(64 - 8 * width);
      number(width == 0 ? 0 : static_cast<std::int64_t>(bits << shift) >> shift);
      return;
    }
    case kReal:
      take(8);
      make(Kind::none);
      return;
    case kText4:
    case kText1:
      make(Kind::text)->text = take(take_number(operation == kText4 ? 4 : 1));
      return;
    case kEmptyTuple:
    case kEmptyList:
      make(Kind::list);
      return;
    case kEmptyDict:
      make(Kind::dict);
      return;
    case kGlobal: {
      const std::string module = take_line(), name = take_line();
      make(Kind::name)->text = module + "." + name;
      return;
    }
    default:
      read_container(operation);
  }
}

bool TensorUnpickler::step() {
  const auto operation = static_cast<std::uint8_t>(take(1).front());
  switch (operation) {
    case kStop:
      return false;
    case kProtocol:
      take(1);
      return true;
    case kFrame:
      take(8);
      return true;
    case kMark:
      make(Kind::mark);
      return true;
    case kPut1:
    case kPut4:
      remember(take_number(operation == kPut1 ? 1 : 4));
      return true;
    case kMemoize:
      remember(memo_.size());
      return true;
    case kGet1:
    case kGet4:
      recall(take_number(operation == kGet1 ? 1 : 4));
      return true;
    case kReduce:
      call();
      return true;
    case kBuild:  // the attributes of an OrderedDict: versions of its modules
      pop();
      if (top()->kind != Kind::dict) damaged("are out of order");
      return true;
    case kPersistent:
      load_storage();
      return true;
    default:
      read_value(operation);
      return true;
  }
}

std::map<std::string, at::Tensor> TensorUnpickler::read() {
  while (step()) {
  }
  const Object* dict = pop();
  if (dict->kind != Kind::dict) damaged("are no list of names and tensors");
  std::map<std::string, at::Tensor> tensors;
  for (std::size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const Object *name = dict->items[i], *value = dict->items[i + 1];
    if (name->kind != Kind::text || value->kind != Kind::tensor) damaged("are no list of names and tensors");
    tensors[name->text] = value->tensor;
  }
  return tensors;
}

}  // namespace whence::interchange
