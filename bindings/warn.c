/* warn.c - what warn() does in a state of ours, the same as elsewhere */
#include "warn.h"

#include <stdio.h>
#include <string.h>

static void warn(void *context, const char *message, int more) {
  warnings *self = context;
  if (!self->amid && !more && *message == '@') { /* a control message */
    if (strcmp(message, "@on") == 0)
      self->on = true;
    else if (strcmp(message, "@off") == 0)
      self->on = false;
    return;
  }
  if (self->on) {
    fprintf(stderr, "%s%s%s", self->amid ? "" : "Lua warning: ", message,
            more ? "" : "\n");
    fflush(stderr);
  }
  self->amid = more;
}

void warnings_open(warnings *self, lua_State *L) {
  *self = (warnings){.on = false};
  lua_setwarnf(L, warn, self);
}
