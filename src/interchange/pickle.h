// Python's pickles, as far as torch.save writes tensors with them: nothing is called, and no name but a few is known.
#pragma once

#include <ATen/core/Tensor.h>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace whence::interchange {

/// The numbers of a storage by its key; `bytes` of them are wanted.
using StorageReader = std::function<std::string(const std::string& key)>;

/// Reads a pickled dict of names and tensors (a state dict). Refuses all that is no tensor, number, text, list or dict.
class TensorUnpickler {
 public:
  /// `file`: for errors.
  TensorUnpickler(std::string file, std::string_view pickle, StorageReader storage)
      : file_(std::move(file)), rest_(pickle), storage_(std::move(storage)) {}

  /// Error: damaged; objects of other classes.
  std::map<std::string, at::Tensor> read();

 private:
  enum class Kind { none, number, text, list, dict, name, storage, tensor, mark };
  /// Objects point to one another, and may do so in circles; all live as long as the reader.
  struct Object {
    Kind kind = Kind::none;
    std::int64_t number = 0;
    std::string text;            ///< of a name: "collections.OrderedDict"; of a storage: its key
    std::vector<Object*> items;  ///< of a dict: key, value, key, ...
    at::ScalarType type = at::kFloat;
    at::Tensor tensor;
  };

  /// false at the end.
  bool step();
  void read_value(std::uint8_t operation);
  void read_container(std::uint8_t operation);
  Object* make(Kind kind);
  Object* number(std::int64_t value);
  Object* pop();
  Object* top();
  /// What lies above the last mark, which goes, too.
  std::vector<Object*> pop_marked();
  void push_tuple(std::vector<Object*> items);
  void call();
  void load_storage();
  at::Tensor tensor_of(const std::vector<Object*>& arguments);
  void remember(std::size_t place) { memo_[place] = top(); }
  void recall(std::size_t place);
  std::string_view take(std::size_t bytes);
  std::uint64_t take_number(std::size_t bytes);
  std::string take_line();
  [[noreturn]] void damaged(const char* what) const;

  std::string file_;
  std::string_view rest_;
  StorageReader storage_;
  std::deque<Object> objects_;
  std::vector<Object*> stack_;
  std::map<std::size_t, Object*> memo_;
  std::map<std::string, std::string> storages_;
  std::int64_t numbers_left_ = 1 << 24;  ///< a small pickle could name one storage many times
};

}  // namespace whence::interchange
