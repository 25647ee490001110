/* state_environment.c - what every lua_State of a pool starts with */
#include "state_environment.h"

#include "memory.h"

#include <string.h>

static void environment_free(fut_object *object) {
  state_environment *self = (state_environment *)object;
  wire_message_fini(&self->initializer);
  fut_memory_free(self);
}

static const fut_object_kind environment_kind = {"environment",
                                                 environment_free};

state_environment *state_environment_new(enum wire_mode mode, const char *path,
                                         const char *cpath, size_t memory_limit,
                                         wire_message *initializer) {
  size_t path_size = strlen(path) + 1, cpath_size = strlen(cpath) + 1;
  state_environment *self =
      fut_memory_new(sizeof *self + path_size + cpath_size);
  if (self == NULL)
    return NULL;
  fut_object_init(&self->object, &environment_kind);
  self->mode = mode;
  self->memory_limit = memory_limit;
  pthread_sigmask(SIG_BLOCK, NULL, &self->signals);
  wire_message_init(&self->initializer);
  if (initializer) {
    self->initializer = *initializer;
    wire_message_init(initializer);
  }
  self->shelf = NULL;
  self->shelf_size = 0;
  self->path = memcpy(self->text, path, path_size);
  self->cpath = memcpy(self->text + path_size, cpath, cpath_size);
  return self;
}
